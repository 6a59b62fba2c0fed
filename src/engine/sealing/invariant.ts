/**
 * The books of the ingest path, per tenant and signal and cumulative: every item that was acknowledged is
 * sealed, waits in the inbox, was given up, or had been stored before; every sealed one is stored, was merged
 * with its duplicate, or removed by retention.
 */
import type { StoredCount, StoreReader } from '../../model/store.ts'
import type { Signal } from '../../model/telemetry.ts'
import type { InboxReader } from '../inbox/inbox-storage.ts'

export interface InvariantRow {
  readonly tenant: string
  readonly signal: Signal
  readonly accepted: number
  readonly sealed: number
  /** In the inbox and not sealed. */
  readonly waiting: number
  readonly buried: number
  readonly deduplicated: number
  /** `accepted` less the sum of those above; anything but 0 is lost or doubled data. */
  readonly difference: number
  readonly stored: number
  /** Duplicates that merging of segments left out. */
  readonly merged: number
  /** Removed by retention. */
  readonly removed: number
  /** `sealed` less stored, merged and removed items; likewise. */
  readonly storeDifference: number
}

/** Rows counted at most, about 50 ms; further behind than this, the books wait until sealing has caught up. */
const maxRows = 20_000
const maxAttempts = 3

const nothingStored = { items: 0, stored: 0, merged: 0, removed: 0 } as const

/**
 * Null while the inbox is too far ahead of the store to be counted quickly, or when seals came in between
 * every time. Assumes that the store has been fed by this inbox alone.
 */
export async function readInvariant(
  store: StoreReader,
  inbox: InboxReader,
): Promise<readonly InvariantRow[] | null> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const before = await readSealed(store, inbox.inboxId)
    const balance = inbox.balanceAfter(before.position, maxRows)
    if (balance === null) return null
    const after = await readSealed(store, inbox.inboxId)
    // A seal in between may have trimmed rows that were to be counted.
    if (after.position !== before.position) continue
    const key = (of: { readonly tenant: string; readonly signal: Signal }): string =>
      `${of.signal} ${of.tenant}`
    const sealed = new Map(before.counts.map(count => [key(count), count]))
    const waiting = new Map(balance.waiting.map(count => [key(count), count.items]))
    return balance.counters.map(counter => {
      const { tenant, signal, accepted, buried, deduplicated } = counter
      const { items, stored, merged, removed } = sealed.get(key(counter)) ?? nothingStored
      const row = {
        tenant,
        signal,
        accepted,
        sealed: items,
        stored,
        merged,
        removed,
        storeDifference: items - stored - merged - removed,
        waiting: waiting.get(key(counter)) ?? 0,
        buried,
        deduplicated,
      }
      return { ...row, difference: accepted - row.sealed - row.waiting - buried - deduplicated }
    })
  }
  return null
}

async function readSealed(
  store: StoreReader,
  inboxId: string,
): Promise<{
  readonly position: number
  readonly counts: readonly StoredCount[]
}> {
  const snapshot = await store.snapshot()
  try {
    return { position: await snapshot.sealedPosition(inboxId), counts: await snapshot.sealedCounts() }
  } finally {
    await snapshot.release()
  }
}
