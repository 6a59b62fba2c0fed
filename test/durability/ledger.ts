/** What was sent and what was acknowledged, kept outside of the server, and what the store really holds. */
import { createReaderCaches } from '../../src/query/reader-caches.ts'
import { Tail } from '../../src/query/tail.ts'
import { openTelemetryReader } from '../../src/query/telemetry-reader.ts'
import { openSqliteReader } from '../../src/store/sqlite/store-reader.ts'

/** Names of items are unique over all signals: `<request>-<index>`. */
export class Ledger {
  /** Items of acknowledged requests. */
  readonly acknowledged: Set<string> = new Set()
  /** Items of requests that were sent at least once. */
  readonly sent: Set<string> = new Set()
  /** Requests on their way when the server went away; each was sent again. */
  requestsCutOff = 0
}

/** How often each item is stored. */
export async function storedItems(databaseFile: string): Promise<ReadonlyMap<string, number>> {
  const store = openSqliteReader(databaseFile)
  const reader = await openTelemetryReader({
    store,
    tail: new Tail(),
    tenant: 'default',
    deadline: { signal: new AbortController().signal, check: () => undefined },
    nowMs: Date.now(),
    caches: createReaderCaches(),
    ingestCounters: async () => [],
  })
  const counts = new Map<string, number>()
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)
  const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }
  for await (const { block } of reader.scanSpans({ range })) {
    for (const name of block.name) count(block.strings[name] ?? '')
  }
  for await (const { block } of reader.scanLogs({ range })) {
    for (const name of block.eventName) count(block.strings[name] ?? '')
  }
  for await (const { block } of reader.scanMetrics({ range })) {
    for (const series of block.series) count((block.strings[series] ?? '').replace('item=', ''))
  }
  await reader.release()
  await store.close()
  return counts
}

/** Acknowledged items that are not stored, and items stored more than once. */
export function judge(
  ledger: Ledger,
  stored: ReadonlyMap<string, number>,
): {
  readonly lost: readonly string[]
  readonly twice: readonly string[]
  readonly invented: readonly string[]
} {
  return {
    lost: [...ledger.acknowledged].filter(item => !stored.has(item)),
    twice: [...stored].filter(([, count]) => count > 1).map(([item]) => item),
    invented: [...stored.keys()].filter(item => !ledger.sent.has(item)),
  }
}
