/** Stored and unsealed rollup records of one tenant, added up into series over the windows of a range. */
import type { RollupKind, RollupSeries, RollupView } from '../../model/rollup.ts'
import type { RollupHead, RollupRecord } from '../../model/store.ts'
import type { TimeRange } from '../../model/time.ts'
import { freshSections, type SectionSource } from './known-cells.ts'
import { kindNumber, kindShapes } from './series-keys.ts'
import type { NamesOfKind } from './series-names.ts'
import { readSeries, type SourceSection } from './view-series.ts'

const steps = [10, 60, 600]

/** More windows than this make the view coarser; beyond 600 s they are kept, for thirty days are 4,320. */
export const maxWindows = 5_000

/** What a view and all its series take in memory to what is stored, about; sections are counted where they are kept. */
const viewPerStored = 3

/** Of a series of one service that has been read: columns spread out over the windows, four of them, and itself. */
const bytesPerWindow = 32
const bytesPerSeries = 500

/** `bytes` are what it takes in memory, about: it grows as series are asked for. */
export type SizedRollupView = RollupView & { readonly bytes: number }

/**
 * The view of a range, its ends moved outwards to whole windows. Windows are `stepSeconds` wide, or as wide
 * as the coarsest record in the range, or so wide that there are at most `maxWindows`: `view.stepSeconds`
 * says which. Sections come from `source` when a kind is first asked for; without one they are kept with the view.
 * Throws StoreError `corrupt_rollup`.
 */
export function rollupView(
  records: readonly RollupRecord[],
  range: TimeRange,
  stepSeconds: number,
  source: SectionSource = freshSections(),
): SizedRollupView {
  const inside = records.filter(record => record.fromMs < range.toMs && record.toMs > range.fromMs)
  const { step, first: firstWindow, last: lastWindow } = viewWindows(inside, range, stepSeconds)
  const widthMs = step * 1000
  const windows = { first: firstWindow, length: lastWindow - firstWindow }
  const sections = new Map<number, readonly SourceSection[]>()
  const kinds = new Map<RollupKind, readonly RollupSeries[]>()
  const ofService = new Map<string, readonly RollupSeries[]>()
  const sectionsOf = (number: number): readonly SourceSection[] => {
    const known = sections.get(number)
    if (known !== undefined) return known
    const read = inside.flatMap(record => {
      const cells = source.section(record, number)
      return cells === undefined ? [] : [{ known: cells, factor: step / cells.stepSeconds }]
    })
    sections.set(number, read)
    return read
  }
  const read = (kind: RollupKind, wanted?: (names: NamesOfKind) => readonly number[]) => {
    const number = kindNumber(kind)
    const shape = kindShapes[number]
    if (shape === undefined) return []
    // Before their names are asked for: reading them is what makes them known.
    const inWindows = sectionsOf(number)
    const names = source.names.kind(number)
    return readSeries({ shape, names }, inWindows, windows, wanted?.(names))
  }
  return {
    fromMs: firstWindow * widthMs,
    toMs: lastWindow * widthMs,
    stepSeconds: step,
    length: lastWindow - firstWindow,
    get bytes() {
      const stored = inside.reduce((sum, record) => sum + record.bytes.length, 0)
      // Asked about single services, it holds little besides its records.
      let bytes = kinds.size === 0 ? stored : stored * viewPerStored
      for (const { length } of ofService.values())
        bytes += length * (windows.length * bytesPerWindow + bytesPerSeries)
      return bytes
    },
    series: (kind, service) => {
      const all = kinds.get(kind)
      const wanted = (key: readonly string[]) => key[0] === service || (kind === 'edge' && key[1] === service)
      if (service === undefined) return all ?? kept(kinds, kind, read(kind))
      if (all !== undefined) return all.filter(one => wanted(one.key))
      // Of one service alone, without building the others.
      const key = `${kind} ${service}`
      return (
        ofService.get(key) ??
        kept(
          ofService,
          key,
          read(kind, names => names.ofService(service)),
        )
      )
    },
    find: (kind, key) =>
      read(kind, () => {
        const number = source.names.find(kindNumber(kind), key)
        return number < 0 ? [] : [number]
      })[0],
  }
}

function kept<K>(
  known: Map<K, readonly RollupSeries[]>,
  key: K,
  series: readonly RollupSeries[],
): readonly RollupSeries[] {
  known.set(key, series)
  return series
}

/** Width of a view's windows in seconds, number of its first one, and of the one behind its last. */
export interface WindowsOfView {
  readonly step: number
  readonly first: number
  readonly last: number
}

/** The windows a view of these records has; all of them overlap the range. */
export function viewWindows(
  records: readonly RollupHead[],
  range: TimeRange,
  stepSeconds: number,
): WindowsOfView {
  const step = chooseStep(records, range, stepSeconds)
  const first = Math.floor(range.fromMs / (step * 1000))
  return { step, first, last: Math.max(first, Math.ceil(range.toMs / (step * 1000))) }
}

function chooseStep(records: readonly RollupHead[], range: TimeRange, wanted: number): number {
  let step = wanted
  for (const record of records) step = Math.max(step, record.stepSeconds)
  for (const wider of steps) {
    if (wider > step && (range.toMs - range.fromMs) / (step * 1000) > maxWindows) step = wider
  }
  return step
}
