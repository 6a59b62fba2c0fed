/** The read functions over a stored data directory, in this process: what a query worker runs, without transport. */
import type { Deadline, TelemetryReader } from '../../src/model/reader.ts'
import { createReaderCaches, type ReaderCaches } from '../../src/query/reader-caches.ts'
import { Tail } from '../../src/query/tail.ts'
import { openTelemetryReader } from '../../src/query/telemetry-reader.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'
import type { StoredData } from './stored-data.ts'

export const noDeadline: Deadline = { signal: new AbortController().signal, check: () => undefined }

export interface ReadPaths {
  /** One call: opens a view as a query worker does, and closes it. */
  read<T>(work: (reader: TelemetryReader) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Caches live as long as the result, as in a query worker. */
export function openReadPaths(data: StoredData, caches: ReaderCaches = createReaderCaches()): ReadPaths {
  const store = openSqliteReader(data.databaseFile)
  const tail = new Tail()
  return {
    async read(work) {
      const reader = await openTelemetryReader({
        store,
        tail,
        tenant: 'default',
        deadline: noDeadline,
        nowMs: data.untilMs,
        caches,
        ingestCounters: async () => [],
      })
      try {
        return await work(reader)
      } finally {
        await reader.release()
      }
    },
    close: () => store.close(),
  }
}
