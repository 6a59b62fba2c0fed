/** Stored and unsealed rollup records of one tenant, added up into series over the windows of a range. */
import type { RollupKind, RollupSeries, RollupView } from '../../model/rollup.ts'
import type { RollupRecord } from '../../model/store.ts'
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
  const step = chooseStep(inside, range, stepSeconds)
  const widthMs = step * 1000
  const firstWindow = Math.floor(range.fromMs / widthMs)
  const lastWindow = Math.max(firstWindow, Math.ceil(range.toMs / widthMs))
  const blocks = inside.map(openOnce)
  const kinds = new Map<RollupKind, readonly RollupSeries[]>()
  const load = (kind: RollupKind): readonly RollupSeries[] => {
    const known = kinds.get(kind)
    if (known !== undefined) return known
    const number = kindNumber(kind)
    const shape = kindShapes[number]
    const sections = blocks.flatMap(block => {
      const cells = block.section(number)
      return cells === undefined ? [] : [{ cells, factor: step / block.stepSeconds }]
    })
    const windows = { first: firstWindow, length: lastWindow - firstWindow }
    const series = shape === undefined ? [] : readSeries(shape, sections, windows)
    kinds.set(kind, series)
    return series
  }
  return {
    fromMs: firstWindow * widthMs,
    toMs: lastWindow * widthMs,
    stepSeconds: step,
    length: lastWindow - firstWindow,
    series: (kind, service) => {
      const all = load(kind)
      if (service === undefined) return all
      return all.filter(one => one.key[0] === service || (kind === 'edge' && one.key[1] === service))
    },
  }
}

function openOnce(record: RollupRecord): RollupBlock {
  const known = opened.get(record.bytes)
  if (known !== undefined) return known
  const block = openBlock(record.bytes)
  opened.set(record.bytes, block)
  return block
}

function chooseStep(records: readonly RollupRecord[], range: TimeRange, wanted: number): number {
  let step = wanted
  for (const record of records) step = Math.max(step, record.stepSeconds)
  for (const wider of steps) {
    if (wider > step && (range.toMs - range.fromMs) / (step * 1000) > maxWindows) step = wider
  }
  return step
}
