/**
 * The books of the ingest path, per tenant and signal and cumulative: every item that was acknowledged is
 * sealed, waits in the inbox, was given up, or had been stored before.
 */
import type { StoreReader } from '../../model/store.ts'
import type { Signal } from '../../model/telemetry.ts'
import type { InboxFileReader } from '../inbox/inbox-file-reader.ts'

export interface InvariantRow {
  readonly tenant: string
  readonly signal: Signal
  readonly accepted: number
  readonly sealed: number
  /** In the inbox and not sealed. */
  readonly waiting: number
  readonly buried: number
  readonly deduplicated: number
  /** `accepted` less the sum of the others; anything but 0 is lost or doubled data. */
  readonly difference: number
}

/** Rows counted at most, about 50 ms; further behind than this, the books wait until sealing has caught up. */
const maxRows = 20_000
const maxAttempts = 3

/**
 * Null while the inbox is too far ahead of the store to be counted quickly, or when seals came in between
 * every time. Assumes that the store has been fed by this inbox alone.
 */
export async function readInvariant(
  store: StoreReader,
  inbox: InboxFileReader,
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
    const sealed = new Map(before.counts.map(count => [key(count), count.items]))
    const waiting = new Map(balance.waiting.map(count => [key(count), count.items]))
    return balance.counters.map(counter => {
      const { tenant, signal, accepted, buried, deduplicated } = counter
      const row = {
        tenant,
        signal,
        accepted,
        sealed: sealed.get(key(counter)) ?? 0,
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
  readonly counts: readonly { readonly tenant: string; readonly signal: Signal; readonly items: number }[]
}> {
  const snapshot = await store.snapshot()
  try {
    return { position: await snapshot.sealedPosition(inboxId), counts: await snapshot.sealedCounts() }
  } finally {
    await snapshot.release()
  }
}
