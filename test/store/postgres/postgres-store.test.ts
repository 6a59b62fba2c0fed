import type { StoreWriter } from '../../../src/model/store.ts'
import { openPostgresReader } from '../../../src/store/postgres/store-reader.ts'
import { openPostgresWriter } from '../../../src/store/postgres/store-writer.ts'
import { describeStore, type StoreUnderTest } from '../conformance.ts'
import { makeDatabase } from './test-database.ts'

for (const partitioning of ['', 'daily'] as const) {
  describeStore(
    `Postgres${partitioning === '' ? '' : ' with partitions'}`,
    async (): Promise<StoreUnderTest> => {
      const database = await makeDatabase({ partitioning })
      let writer: StoreWriter = await openPostgresWriter(database.location)
      return {
        writer,
        openReader: () => openPostgresReader(database.location),
        async reopen() {
          await writer.close()
          writer = await openPostgresWriter(database.location)
          return writer
        },
        async damagePart(id, part) {
          const [row] = await database.run(
            `SELECT sequence, parts FROM otelcontext.segment WHERE id = '${id}'`,
          )
          const entries = String(row?.['parts']).split(' ')
          const before = entries.slice(
            0,
            entries.findIndex(entry => entry.startsWith(`${part}:`)),
          )
          const place = before.reduce((sum, entry) => sum + Number(entry.split(':')[1]), 0) + 1
          await database.run(
            `UPDATE otelcontext.segment_data SET bytes = set_byte(bytes, ${place}, get_byte(bytes, ${place}) # 1)
           WHERE sequence = ${row?.['sequence']}`,
          )
        },
        async close() {
          await writer.close()
          await database.drop()
        },
      }
    },
  )
}
