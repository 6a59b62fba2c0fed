/**
 * Rollups added up over a range, from chunks that are kept: an answer about the last half hour, asked again ten
 * seconds later, adds the same five-minute sums but for those at its ends.
 */
import type { LRUCache } from 'lru-cache'
import { sectionBytes } from '../graph/rollups/collapsed-cells.ts'
import type { DecodedKind } from '../graph/rollups/decode.ts'
import { viewWindows, type WindowsOfView } from '../graph/rollups/rollup-view.ts'
import { addSections, totalSection, totalView } from '../graph/rollups/total-sections.ts'
import type { RollupTotals, RollupView, TotalKind } from '../model/rollup.ts'
import type { RollupHead, RollupRecord } from '../model/store.ts'
import type { TimeRange } from '../model/time.ts'

/** Seconds of a chunk: thirty windows of ten seconds. Coarser rollups make it one of their windows. */
const chunkSeconds = 300

/** Sums of a stretch of time, and of what they are the sums. */
export interface KeptTotals {
  /** Ids of the records in it, in order. */
  readonly ids: readonly string[]
  readonly sections: ReadonlyMap<TotalKind, DecodedKind>
  readonly bytes: number
}

/** The last views of all kinds that were asked for, whole. */
export interface KeptView {
  readonly ids: readonly string[]
  readonly totals: RollupTotals
  readonly bytes: number
}

export interface TotalsSource {
  readonly tenant: string
  readonly chunks: LRUCache<string, KeptTotals>
  readonly views: LRUCache<string, KeptView>
  /** All of the tenant that overlap the range, sealed or not, without duplicates. */
  readonly heads: readonly RollupHead[]
  /** The same with their cells, for a part of the range; null if one cannot be read. */
  load(range: TimeRange): Promise<readonly RollupRecord[] | null>
}

interface Stretch {
  /** Windows of the view's width. */
  readonly first: number
  readonly last: number
  readonly records: readonly RollupHead[]
  readonly key: string
  kept: KeptTotals | undefined
}

/** Null where a record cannot be read. */
export async function readTotals(
  source: TotalsSource,
  range: TimeRange,
  stepSeconds: number,
  kinds: readonly TotalKind[],
): Promise<RollupTotals | null> {
  const windows = viewWindows(source.heads, range, stepSeconds)
  const viewKey = [source.tenant, windows.step, windows.first, windows.last, ...kinds].join(' ')
  const ids = source.heads.map(head => head.id)
  const known = source.views.get(viewKey)
  if (known !== undefined && sameIds(known.ids, ids)) return known.totals
  const stretches = cut(source, windows)
  for (const stretch of stretches) {
    const kept = source.chunks.get(stretch.key)
    const ofStretch = stretch.records.map(head => head.id)
    if (kept !== undefined && sameIds(kept.ids, ofStretch) && kinds.every(kind => kept.sections.has(kind)))
      stretch.kept = kept
  }
  if (!(await loadMissing(source, stretches, windows.step, kinds))) return null
  const sections = new Map(
    kinds.map(kind => {
      const parts = stretches.map(stretch => stretch.kept?.sections.get(kind))
      return [
        kind,
        addSections(
          kind,
          parts.filter(part => part !== undefined),
        ),
      ] as const
    }),
  )
  const widthMs = windows.step * 1000
  const view: RollupView = totalView(
    { fromMs: windows.first * widthMs, toMs: windows.last * widthMs },
    sections,
  )
  const totals = { view, windows: windows.last - windows.first, windowSeconds: windows.step }
  source.views.set(viewKey, { ids, totals, bytes: bytesOf(sections) * 3 })
  return totals
}

/** The range in chunks that begin at whole multiples of their length, the first and the last cut off. */
function cut(source: TotalsSource, windows: WindowsOfView): readonly Stretch[] {
  const { step, first, last } = windows
  const size = Math.max(1, chunkSeconds / step)
  const stretches: Stretch[] = []
  for (let from = first; from < last; ) {
    const to = Math.min(last, (Math.floor(from / size) + 1) * size)
    const [fromMs, toMs] = [from * step * 1000, to * step * 1000]
    const records = source.heads.filter(head => head.fromMs < toMs && head.toMs > fromMs)
    const key = [source.tenant, step, from, to].join(' ')
    if (records.length > 0) stretches.push({ first: from, last: to, records, key, kept: undefined })
    from = to
  }
  return stretches
}

async function loadMissing(
  source: TotalsSource,
  stretches: readonly Stretch[],
  step: number,
  kinds: readonly TotalKind[],
): Promise<boolean> {
  // A record that reaches into the next stretch is decoded once.
  let carried = new Map<string, RollupRecord>()
  for (const stretch of stretches) {
    if (stretch.kept !== undefined) continue
    const widthMs = step * 1000
    const loaded = await source.load({ fromMs: stretch.first * widthMs, toMs: stretch.last * widthMs })
    if (loaded === null) return false
    const records = loaded.map(record => carried.get(record.id) ?? record)
    carried = new Map(records.map(record => [record.id, record]))
    const windows = { first: stretch.first, length: stretch.last - stretch.first }
    const sections = new Map(kinds.map(kind => [kind, totalSection(kind, records, step, windows)] as const))
    const ids = stretch.records.map(head => head.id)
    stretch.kept = { ids, sections, bytes: bytesOf(sections) }
    source.chunks.set(stretch.key, stretch.kept)
  }
  return true
}

function bytesOf(sections: ReadonlyMap<TotalKind, DecodedKind>): number {
  let bytes = 200
  for (const cells of sections.values()) bytes += sectionBytes(cells)
  return bytes
}

/** Of the same records in the same order. */
export function sameIds(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at])
}
