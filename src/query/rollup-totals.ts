/**
 * Rollups added up over a range, from sums that are kept and moved along: an answer about the last half hour,
 * asked again ten seconds later, takes off the cells of ten seconds and adds those of ten others.
 */
import { viewWindows, type WindowsOfView } from '../graph/rollups/rollup-view.ts'
import { RunningTotals } from '../graph/rollups/running-totals.ts'
import { kindNumber } from '../graph/rollups/series-keys.ts'
import type { RollupKind, RollupTotals, RollupView, TotalKind } from '../model/rollup.ts'
import type { RollupHead, RollupRecord } from '../model/store.ts'
import type { TimeRange } from '../model/time.ts'
import type { KnownSections } from './known-sections.ts'

/** Sums over some range of some records; belongs to one reader from when it is taken until it is given back. */
export class KeptTotals {
  readonly what: string
  readonly sections: KnownSections
  readonly kinds: ReadonlyMap<TotalKind, RunningTotals>
  windows: WindowsOfView
  /** Those that are added in, by id. */
  readonly heads: Map<string, RollupHead> = new Map()
  totals: RollupTotals | null = null
  /** Views of an earlier one are of the past. */
  generation = 0

  constructor(what: string, sections: KnownSections, kinds: readonly TotalKind[], windows: WindowsOfView) {
    this.what = what
    this.sections = sections
    this.windows = { ...windows, last: windows.first }
    this.kinds = new Map(
      kinds.map(kind => [kind, new RunningTotals(kind, sections.names.kind(kindNumber(kind)))]),
    )
  }

  get bytes(): number {
    let bytes = 1_000 + this.heads.size * 300
    for (const totals of this.kinds.values()) bytes += totals.bytes
    return bytes
  }
}

export interface TotalsSource {
  readonly tenant: string
  readonly sections: KnownSections
  /** Those that nobody uses, in any order. */
  readonly free: Iterable<KeptTotals>
  /** Those that this reader has taken. */
  readonly taken: KeptTotals[]
  /** Takes one away from the free ones. */
  take(kept: KeptTotals): void
  /** All of the tenant that overlap the range, sealed or not, without duplicates. */
  readonly heads: readonly RollupHead[]
  /** The same with their cells, for a part of the range; null if one cannot be read. */
  load(range: TimeRange): Promise<readonly RollupRecord[] | null>
}

/** Null where a record cannot be read. */
export async function readTotals(
  source: TotalsSource,
  range: TimeRange,
  stepSeconds: number,
  kinds: readonly TotalKind[],
): Promise<RollupTotals | null> {
  const windows = viewWindows(source.heads, range, stepSeconds)
  const what = [source.tenant, windows.step, ...kinds].join(' ')
  for (const kept of source.taken)
    if (kept.what === what && kept.totals !== null && isOf(kept, windows, source.heads)) return kept.totals
  const near = nearest(source, what, windows)
  if (near !== null) source.take(near)
  const kept = near ?? new KeptTotals(what, source.sections, kinds, windows)
  const move = movement(kept, windows, source.heads)
  const whole = move === null ? new KeptTotals(what, source.sections, kinds, windows) : kept
  const steps = move ?? movement(whole, windows, source.heads) ?? []
  const totals = await applied(source, whole, windows, steps)
  if (totals !== null) source.taken.push(whole)
  return totals
}

/** The one that has the least to move, if that is less than beginning anew. */
function nearest(source: TotalsSource, what: string, windows: WindowsOfView): KeptTotals | null {
  let best: KeptTotals | null = null
  let least = windows.last - windows.first
  for (const kept of source.free) {
    if (kept.what !== what || kept.sections.names !== source.sections.names) continue
    const { first, last } = kept.windows
    const moved = Math.abs(first - windows.first) + Math.abs(last - windows.last)
    if (moved >= least) continue
    best = kept
    least = moved
  }
  return best
}

function isOf(kept: KeptTotals, { first, last }: WindowsOfView, heads: readonly RollupHead[]): boolean {
  return (
    kept.windows.first === first &&
    kept.windows.last === last &&
    kept.heads.size === heads.length &&
    heads.every(head => kept.heads.has(head.id))
  )
}

/** Cells of one record in windows [from, to) to be added or taken off. */
interface Step {
  readonly head: RollupHead
  readonly from: number
  readonly to: number
  readonly sign: 1 | -1
}

/** What turns the sums into those of other windows and records; null where cells to be taken off are not at hand. */
function movement(kept: KeptTotals, to: WindowsOfView, heads: readonly RollupHead[]): readonly Step[] | null {
  const was = kept.windows
  const steps: Step[] = []
  const wanted = new Set<string>()
  const widthMs = to.step * 1000
  const add = (head: RollupHead, from: number, until: number, sign: 1 | -1): void => {
    const first = Math.max(from, Math.floor(head.fromMs / widthMs))
    const last = Math.min(until, Math.ceil(head.toMs / widthMs))
    if (first < last) steps.push({ head, from: first, to: last, sign })
  }
  for (const head of heads) {
    wanted.add(head.id)
    if (!kept.heads.has(head.id)) {
      add(head, to.first, to.last, 1)
      continue
    }
    add(head, was.first, Math.min(was.last, to.first), -1)
    add(head, Math.max(was.first, to.last), was.last, -1)
    add(head, to.first, Math.min(to.last, was.first), 1)
    add(head, Math.max(to.first, was.last), to.last, 1)
  }
  for (const head of kept.heads.values()) {
    if (wanted.has(head.id)) continue
    // It may be gone from the store, and then nobody can say what is to be taken off.
    for (const kind of kept.kinds.keys()) if (!kept.sections.has(head.id, kindNumber(kind))) return null
    add(head, was.first, was.last, -1)
  }
  return steps
}

async function applied(
  source: TotalsSource,
  kept: KeptTotals,
  windows: WindowsOfView,
  steps: readonly Step[],
): Promise<RollupTotals | null> {
  if (kept.totals !== null && isOf(kept, windows, source.heads)) return kept.totals
  const kinds = [...kept.kinds].map(([kind, totals]) => ({ number: kindNumber(kind), totals }))
  // Held from here on: decoding others may push them out of what is kept.
  const held = steps.map(({ head }) => kinds.map(({ number }) => kept.sections.kept(head.id, number)))
  const missing = steps.filter((_, at) => held[at]?.includes(undefined))
  const records = new Map<string, RollupRecord>()
  if (missing.length > 0) {
    const fromMs = Math.min(...missing.map(({ head }) => head.fromMs))
    const toMs = Math.max(...missing.map(({ head }) => head.toMs))
    const loaded = await source.load({ fromMs, toMs })
    if (loaded === null) return null
    for (const record of loaded) records.set(record.id, record)
  }
  for (const [at, { head, from, to, sign }] of steps.entries()) {
    for (const [k, { number, totals }] of kinds.entries()) {
      const record = records.get(head.id)
      const known =
        held[at]?.[k] ?? (record === undefined ? undefined : kept.sections.section(record, number))
      // Undefined where the record has none of the kind; a record that is not there was lost between two reads.
      if (known === undefined && record === undefined) return null
      if (known !== undefined)
        totals.apply({ known, factor: windows.step / known.stepSeconds }, from, to, sign)
    }
  }
  kept.windows = windows
  kept.heads.clear()
  for (const head of source.heads) kept.heads.set(head.id, head)
  kept.totals = totalsOf(kept, ++kept.generation)
  return kept.totals
}

function totalsOf(kept: KeptTotals, generation: number): RollupTotals {
  const { step, first, last } = kept.windows
  const sumsOf = (kind: RollupKind): RunningTotals => {
    if (kept.generation !== generation)
      throw new RangeError('these sums have moved on: their reader is released')
    const totals = kept.kinds.get(kind as TotalKind) // undefined for other kinds
    if (totals === undefined) throw new RangeError(`${kind} was not among the kinds added up`)
    return totals
  }
  const view: RollupView = {
    fromMs: first * step * 1000,
    toMs: last * step * 1000,
    stepSeconds: (last - first) * step,
    length: 1,
    series: (kind, service) => sumsOf(kind).series(service),
    find: (kind, key) => sumsOf(kind).one(kept.sections.names.find(kindNumber(kind), key)),
  }
  return { view, windows: last - first, windowSeconds: step }
}

/** Of the same records in the same order. */
export function sameIds(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at])
}
