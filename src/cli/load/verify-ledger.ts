/** `otelcontext load --verify LEDGER`: is everything that was acknowledged stored, and only once? */
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { StoreError } from '../../errors.ts'
import { type Signal, signals } from '../../model/telemetry.ts'
import { request, type ServerConnection } from '../server-connection.ts'
import { itemKeys } from './item-keys.ts'
import { type LedgerLine, readLedger } from './ledger.ts'
import { createTraffic, roundOf, type Traffic } from './traffic.ts'

export interface VerifyReport {
  readonly acknowledged: number
  readonly stored: number
  /** Acknowledged and not stored. */
  readonly lost: number
  /** Stored more than once. */
  readonly twice: number
  /** Items that partial success said were not taken; they are among neither. */
  readonly rejected: number
  readonly first_lost: string
  readonly first_twice: string
}

/** Items compared at once; each costs about 150 bytes here. */
const maxItemsAtOnce = 500_000
/** How far an item's time lies from the start of its round, beside the round's own length. */
const marginMs = 120_000

interface Counts {
  acknowledged: number
  stored: number
  lost: number
  twice: number
  rejected: number
  first_lost: string
  first_twice: string
}

/** Exports what is stored, piece by piece of time, and compares; `progress` hears of each piece. */
export async function verifyLedger(
  path: string,
  connection: ServerConnection,
  progress: (text: string) => void,
): Promise<VerifyReport> {
  const ledger = readLedger(path)
  const counts: Counts = {
    acknowledged: 0,
    stored: 0,
    lost: 0,
    twice: 0,
    rejected: 0,
    first_lost: '',
    first_twice: '',
  }
  for (const signal of signals) {
    const plan = ledger.plans.find(one => one.signal === signal)
    if (plan === undefined) continue
    const traffic = createTraffic(ledger.profile, plan, 'json')
    for (const piece of pieces(ledger.lines.filter(line => line.signal === signal))) {
      const expected = new Map<string, number>()
      for (const line of piece) {
        const round = roundOf(ledger.profile, signal, line.round, BigInt(line.start_ns))
        const body = traffic.templates[line.request]?.fill(round)
        if (body !== undefined) for (const key of itemKeys(body.toString())) expected.set(key, 0)
      }
      await countStored(connection, traffic, piece, expected)
      compare(piece, expected, counts)
      progress(`${signal}: ${counts.acknowledged} compared, ${counts.lost} lost, ${counts.twice} twice`)
    }
  }
  return counts
}

/** Requests of one tenant whose rounds start close to each other, bounded in items. */
function pieces(lines: readonly LedgerLine[]): readonly (readonly LedgerLine[])[] {
  const sorted = lines.toSorted(
    (a, b) => a.tenant.localeCompare(b.tenant) || (BigInt(a.start_ns) < BigInt(b.start_ns) ? -1 : 1),
  )
  const found: LedgerLine[][] = []
  let items = 0
  for (const line of sorted) {
    const last = found.at(-1)
    if (last === undefined || last[0]?.tenant !== line.tenant || items + line.items > maxItemsAtOnce) {
      found.push([line])
      items = line.items
    } else {
      last.push(line)
      items += line.items
    }
  }
  return found
}

async function countStored(
  connection: ServerConnection,
  traffic: Traffic,
  piece: readonly LedgerLine[],
  expected: Map<string, number>,
): Promise<void> {
  const starts = piece.map(line => Number(BigInt(line.start_ns) / 1_000_000n))
  const fromMs = starts.reduce((least, start) => Math.min(least, start), Number.POSITIVE_INFINITY)
  const untilMs = starts.reduce((most, start) => Math.max(most, start), 0)
  const query = new URLSearchParams({
    signal: traffic.plan.signal satisfies Signal,
    from: String(fromMs - marginMs),
    to: String(untilMs + traffic.plan.spanMs + marginMs),
  })
  const tenant = piece[0]?.tenant ?? ''
  const response = await request(connection, `/admin/export?${query}`, {
    headers: { 'x-otelcontext-admin': '1', ...(tenant === '' ? {} : { 'x-tenant-id': tenant }) },
  })
  if (!response.ok || response.body === null)
    throw new StoreError(
      'export_failed',
      `export answered ${response.status}: ${(await response.text()).slice(0, 300)}`,
    )
  for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
    for (const key of itemKeys(line)) {
      const seen = expected.get(key)
      if (seen !== undefined) expected.set(key, seen + 1)
    }
  }
}

function compare(piece: readonly LedgerLine[], expected: ReadonlyMap<string, number>, counts: Counts): void {
  const rejected = piece.reduce((sum, line) => sum + line.rejected, 0)
  let missing = 0
  let firstMissing = ''
  for (const [key, seen] of expected) {
    if (seen > 0) counts.stored++
    if (seen === 0 && missing++ === 0) firstMissing = key
    if (seen > 1 && counts.twice++ === 0) counts.first_twice = key
  }
  counts.acknowledged += expected.size
  counts.rejected += rejected
  // Which items were rejected is not known, only how many.
  const lost = Math.max(0, missing - rejected)
  if (lost > 0 && counts.lost === 0) counts.first_lost = firstMissing
  counts.lost += lost
}
