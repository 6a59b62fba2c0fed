/** What became of acknowledged spans, read from the files of a server that has ended. */
import { join } from 'node:path'
import { InboxFileReader } from '../../src/engine/inbox/inbox-file-reader.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'

/** Spans stored, merged, removed by retention, and waiting in the inbox. */
export async function accountedSpans(
  dataDirectory: string,
): Promise<{ readonly kept: number; readonly removed: number }> {
  const store = openSqliteReader(join(dataDirectory, 'otelcontext.db'))
  const inbox = new InboxFileReader(join(dataDirectory, 'inbox.db'))
  const snapshot = await store.snapshot()
  const counts = await snapshot.sealedCounts()
  const position = await snapshot.sealedPosition(inbox.inboxId)
  await snapshot.release()
  await store.close()
  const balance = inbox.balanceAfter(position, Number.MAX_SAFE_INTEGER)
  inbox.close()
  const waiting = (balance?.waiting ?? []).reduce((sum, { items }) => sum + items, 0)
  return {
    kept: counts.reduce((sum, { stored, merged }) => sum + stored + merged, 0) + waiting,
    removed: counts.reduce((sum, { removed }) => sum + removed, 0),
  }
}
