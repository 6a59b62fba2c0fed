/** What was sent and what was acknowledged, kept outside of the server, and what its files really hold. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InboxFileReader } from '../../src/engine/inbox/inbox-file-reader.ts'
import { EntryFeed } from '../../src/engine/sealing/entry-feed.ts'
import type { StoreReader } from '../../src/model/store.ts'
import type { StoreLocation } from '../../src/model/store-location.ts'
import type { TailEntry } from '../../src/model/tail.ts'
import { createReaderCaches } from '../../src/query/reader-caches.ts'
import { Tail } from '../../src/query/tail.ts'
import { openTelemetryReader } from '../../src/query/telemetry-reader.ts'
import { openStoreReader } from '../../src/store/open-store.ts'

/** Names of items are unique over all signals: `<request>-<index>`. */
export class Ledger {
  /** Items of acknowledged requests. */
  readonly acknowledged: Set<string> = new Set()
  /** Items of requests that were sent at least once. */
  readonly sent: Set<string> = new Set()
  /** Requests on their way when the server went away; each was sent again. */
  requestsCutOff = 0
  /** Requests told to come back, and those of them that were not told when. */
  refusals = 0
  refusalsWithoutTime = 0
  /** When something was acknowledged last, and the longest time without; milliseconds of `performance.now()`. */
  lastMs: number = performance.now()
  longestGapMs = 0
  #fresh: string[] = []
  #freshSinceMs = Number.POSITIVE_INFINITY

  send(names: readonly string[]): void {
    for (const name of names) this.sent.add(name)
  }

  /** `timeMs` is the time the items carry. */
  acknowledge(names: readonly string[], timeMs: number): void {
    for (const name of names) this.acknowledged.add(name)
    const nowMs = performance.now()
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastMs)
    this.lastMs = nowMs
    this.#fresh.push(...names)
    this.#freshSinceMs = Math.min(this.#freshSinceMs, timeMs)
  }

  /** What was acknowledged since the last call, and the oldest time among it. */
  takeFresh(): { readonly names: readonly string[]; readonly fromMs: number } {
    const taken = { names: this.#fresh, fromMs: this.#freshSinceMs }
    this.#fresh = []
    this.#freshSinceMs = Number.POSITIVE_INFINITY
    return taken
  }
}

export interface StoredOptions {
  /** Also what lies in this inbox behind the sealed position. */
  readonly inboxFile?: string
  /** Only items from this time on, milliseconds. */
  readonly fromMs?: number
}

/** How often each item is stored, found by the same reader that tools use. */
export async function storedItems(
  storeOrFile: StoreLocation | string,
  options: StoredOptions = {},
): Promise<ReadonlyMap<string, number>> {
  const location: StoreLocation =
    typeof storeOrFile === 'string' ? { driver: 'sqlite', file: storeOrFile } : storeOrFile
  const store = await openStoreReader(location)
  const tail = new Tail()
  if (options.inboxFile !== undefined && existsSync(options.inboxFile))
    await fillTail(tail, store, options.inboxFile)
  const reader = await openTelemetryReader({
    store,
    tail,
    tenant: 'default',
    deadline: { signal: new AbortController().signal, check: () => undefined },
    nowMs: Date.now(),
    caches: createReaderCaches(),
    ingestCounters: async () => [],
  })
  const counts = new Map<string, number>()
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)
  const range = { fromMs: options.fromMs ?? 0, toMs: Number.MAX_SAFE_INTEGER }
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

/** Publishes what a start would replay. Throws when a row is damaged or gone: nothing acknowledged may be. */
async function fillTail(tail: Tail, store: StoreReader, inboxFile: string): Promise<void> {
  const inbox = new InboxFileReader(inboxFile)
  const snapshot = await store.snapshot()
  const sealed = await snapshot.sealedPosition(inbox.inboxId)
  await snapshot.release()
  const last = inbox.lastPosition()
  const feed = new EntryFeed(inbox, sealed)
  feed.reachTo(last)
  const entries: TailEntry[] = []
  for (let fed = feed.take(); fed !== null; fed = feed.take()) {
    if (fed.type !== 'entry') throw new Error(`an inbox row behind position ${sealed} is ${fed.type}`)
    const { position, tenant, signal, receivedMs, bytes, refused } = fed.entry
    entries.push({ position, tenant, signal, receivedMs, bytes, refused, templates: null })
  }
  const { inboxId } = inbox
  inbox.close()
  if (entries.length === 0) return
  const about = {
    inboxId,
    from: sealed + 1,
    rollupsFrom: sealed + 1,
    to: last,
    timeMs: entries.at(-1)?.receivedMs ?? 0,
  }
  tail.accept({ type: 'publication', ...about, entries, rollups: [], templates: [] })
}

export interface Verdict {
  readonly lost: readonly string[]
  readonly twice: readonly string[]
  readonly invented: readonly string[]
}

/** Acknowledged items (all, if not given) that are not stored, items stored more than once or never sent. */
export function judge(
  ledger: Ledger,
  stored: ReadonlyMap<string, number>,
  acknowledged: Iterable<string> = ledger.acknowledged,
): Verdict {
  return {
    lost: [...acknowledged].filter(item => !stored.has(item)),
    twice: [...stored].filter(([, count]) => count > 1).map(([item]) => item),
    invented: [...stored.keys()].filter(item => !ledger.sent.has(item)),
  }
}

export interface FinalVerdict extends Verdict {
  /** Acknowledged and still in the inbox alone, which the next start replays: a stop ends before that on a machine too busy. */
  readonly unsealed: number
}

/** What a server that has ended left in its data directory. */
export async function judgeFiles(ledger: Ledger, dataDirectory: string): Promise<FinalVerdict> {
  const store = join(dataDirectory, 'otelcontext.db')
  const sealed = await storedItems(store)
  const all = await storedItems(store, { inboxFile: join(dataDirectory, 'inbox.db') })
  return { ...judge(ledger, all), unsealed: judge(ledger, sealed).lost.length }
}
