/** Merges small segments of the store named by its argument until it is killed or nothing is left to merge. */
import { SegmentCompactor } from '../../src/store/compact-segments.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'

const [, , file = '', nowMs = '0'] = process.argv
const writer = openSqliteWriter(file)
const reader = openSqliteReader(file)
const compactor = new SegmentCompactor(reader, writer)
process.stdout.write('begun\n')
while ((await compactor.run(Number(nowMs), 1)).merged > 0) process.stdout.write('merged\n')
await reader.close()
await writer.close()
process.stdout.write('done\n')
