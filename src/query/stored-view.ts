/** What of a tenant is stored, as of a snapshot; headers are followed rather than read anew. */
import type { Deadline } from '../model/reader.ts'
import type { Retirements, SegmentHeader, StoreSnapshot } from '../model/store.ts'
import { type Signal, signals } from '../model/telemetry.ts'
import type { ReaderCaches } from './reader-caches.ts'
import type { HeaderList } from './segment-headers.ts'

export interface StoredViewOptions {
  readonly tenant: string
  readonly deadline: Deadline
  readonly caches: ReaderCaches
  /** Hears of damage when it is met first. */
  readonly onDamage?: (what: string) => void
}

export interface StoredView {
  readonly headers: Readonly<Record<Signal, HeaderList>>
  readonly retirements: Retirements
}

/** Rejects with StoreError when the store cannot be read. */
export async function storedView(options: StoredViewOptions, snapshot: StoreSnapshot): Promise<StoredView> {
  const { tenant, caches } = options
  await followHeaders(options, snapshot)
  const headers: Record<Signal, HeaderList> = {
    traces: caches.headers.list(tenant, 'traces'),
    logs: caches.headers.list(tenant, 'logs'),
    metrics: caches.headers.list(tenant, 'metrics'),
  }
  return { headers, retirements: await retirementsOf(tenant, snapshot, caches) }
}

/** Damage is told of when it is met; what the books hold and no header names is damage as well. */
async function followHeaders(
  { caches, deadline, onDamage }: StoredViewOptions,
  snapshot: StoreSnapshot,
): Promise<void> {
  const { headers } = caches
  const changes = await snapshot.segmentChanges(headers.sequence, deadline.signal)
  if ((changes.damaged ?? 0) > 0) onDamage?.(`${changes.damaged} segment headers are damaged`)
  headers.apply(changes)
  if (caches.missingItems !== null) return
  const missing = new Map<string, number>()
  for (const { tenant, signal, stored } of await snapshot.sealedCounts()) {
    const named = headers.list(tenant, signal).reduce((sum, header) => sum + header.count, 0)
    if (named >= stored) continue
    missing.set(tenant, (missing.get(tenant) ?? 0) + stored - named)
    onDamage?.(`${stored - named} stored items are in no segment that can be read`)
  }
  caches.missingItems = missing
}

/** They are numbered with segments and their removals, so none is new while those are not. */
async function retirementsOf(
  tenant: string,
  snapshot: StoreSnapshot,
  { headers, retirements }: ReaderCaches,
): Promise<Retirements> {
  const known = retirements.get(tenant)
  if (known?.sequence === headers.sequence) return known.retirements
  const read = await snapshot.retirements(tenant)
  retirements.set(tenant, { sequence: headers.sequence, retirements: read })
  return read
}

/** By the time of receipt; undefined where nothing is stored. */
export function newestHeader(headers: Readonly<Record<Signal, HeaderList>>): SegmentHeader | undefined {
  let newest: SegmentHeader | undefined
  for (const signal of signals)
    for (const header of headers[signal])
      if (newest === undefined || header.maxReceivedMs > newest.maxReceivedMs) newest = header
  return newest
}
