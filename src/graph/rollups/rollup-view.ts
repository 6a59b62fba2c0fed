/** Stored and unsealed rollup records of one tenant, added up into series over the windows of a range. */
import type { RollupKind, RollupSeries, RollupView } from '../../model/rollup.ts'
import type { RollupHead, RollupRecord } from '../../model/store.ts'
import type { TimeRange } from '../../model/time.ts'
import { openBlock, type RollupBlock } from './decode.ts'
import { kindNumber, kindShapes } from './series-keys.ts'
import { readSeries } from './view-series.ts'

const steps = [10, 60, 600]

/** More windows than this make the view coarser; beyond 600 s they are kept, for thirty days are 4,320. */
export const maxWindows = 5_000

const opened = new WeakMap<Uint8Array, RollupBlock>()

/**
 * The view of a range, its ends moved outwards to whole windows. Windows are `stepSeconds` wide, or as wide
 * as the coarsest record in the range, or so wide that there are at most `maxWindows`: `view.stepSeconds`
 * says which. Kinds are decoded when they are first asked for; opened blocks are remembered as long as the
 * record's bytes live. Throws StoreError `corrupt_rollup`.
 */
export function rollupView(
  records: readonly RollupRecord[],
  range: TimeRange,
  stepSeconds: number,
): RollupView {
  const inside = records.filter(record => record.fromMs < range.toMs && record.toMs > range.fromMs)
  const { step, first: firstWindow, last: lastWindow } = viewWindows(inside, range, stepSeconds)
  const widthMs = step * 1000
  const blocks = inside.map(openOnce)
  const kinds = new Map<RollupKind, readonly RollupSeries[]>()
  const ofService = new Map<string, readonly RollupSeries[]>()
  const read = (kind: RollupKind, wanted?: (key: readonly string[]) => boolean): readonly RollupSeries[] => {
    const number = kindNumber(kind)
    const shape = kindShapes[number]
    const sections = blocks.flatMap(block => {
      const cells = block.section(number)
      return cells === undefined ? [] : [{ cells, factor: step / block.stepSeconds }]
    })
    const windows = { first: firstWindow, length: lastWindow - firstWindow }
    return shape === undefined ? [] : readSeries(shape, sections, windows, wanted)
  }
  return {
    fromMs: firstWindow * widthMs,
    toMs: lastWindow * widthMs,
    stepSeconds: step,
    length: lastWindow - firstWindow,
    series: (kind, service) => {
      const all = kinds.get(kind)
      const wanted = (key: readonly string[]) => key[0] === service || (kind === 'edge' && key[1] === service)
      if (service === undefined) return all ?? kept(kinds, kind, read(kind))
      if (all !== undefined) return all.filter(one => wanted(one.key))
      // Of one service alone, without building the others.
      const key = `${kind} ${service}`
      return ofService.get(key) ?? kept(ofService, key, read(kind, wanted))
    },
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

/** Opens a record once for as long as its bytes live. Throws StoreError `corrupt_rollup`. */
export function openOnce(record: RollupRecord): RollupBlock {
  const known = opened.get(record.bytes)
  if (known !== undefined) return known
  const block = openBlock(record.bytes)
  opened.set(record.bytes, block)
  return block
}

function chooseStep(records: readonly RollupHead[], range: TimeRange, wanted: number): number {
  let step = wanted
  for (const record of records) step = Math.max(step, record.stepSeconds)
  for (const wider of steps) {
    if (wider > step && (range.toMs - range.fromMs) / (step * 1000) > maxWindows) step = wider
  }
  return step
}
