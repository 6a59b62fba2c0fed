/** Stored and unsealed rollup records of one tenant, added up into series over the windows of a range. */
import type { RollupKind, RollupSeries, RollupView } from '../../model/rollup.ts'
import type { RollupRecord } from '../../model/store.ts'
import type { TimeRange } from '../../model/time.ts'
import { CellTable } from './cell-table.ts'
import { openBlock, type RollupBlock } from './decode.ts'
import { bucketRanges } from './encode.ts'
import { addCells } from './merge.ts'
import { type KindShape, kindNumber, kindShapes, SeriesKeys } from './series-keys.ts'
import { bucketCount, bucketOfMs, bucketValueMs, quantileOf } from './sketch.ts'

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
    const series = loadKind(blocks, kind, { step, firstWindow, lastWindow })
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

interface Windows {
  readonly step: number
  readonly firstWindow: number
  readonly lastWindow: number
}

function loadKind(blocks: readonly RollupBlock[], kind: RollupKind, windows: Windows): RollupSeries[] {
  const number = kindNumber(kind)
  const table = new CellTable()
  const series = new SeriesKeys()
  for (const block of blocks) {
    const cells = block.section(number)
    if (cells === undefined) continue
    const factor = windows.step / block.stepSeconds
    addCells({ table, series, kind: number, factor }, cells, windows.firstWindow, windows.lastWindow)
  }
  const sorted = table.buckets.sorted()
  const sketch: Sketches = {
    ranges: bucketRanges(sorted, table.size),
    buckets: sorted.buckets,
    counts: sorted.counts,
  }
  const shape = kindShapes[number] ?? { kind, parts: 0, cells: 'count' }
  const cellsOf: number[][] = series.keys.map(() => [])
  for (let cell = 0; cell < table.size; cell++) cellsOf[table.seriesOf(cell)]?.push(cell)
  for (const cells of cellsOf) cells.sort((a, b) => table.windowOf(a) - table.windowOf(b))
  return series.keys
    .map((key, s) => new CellSeries(shape, key, table, cellsOf[s] ?? [], sketch, windows))
    .filter(one => one.present)
    .sort((a, b) => compareKeys(a.key, b.key))
}

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    const x = a[i] ?? ''
    const y = b[i] ?? ''
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}

interface Sketches {
  readonly ranges: Uint32Array
  readonly buckets: Uint16Array
  readonly counts: Float64Array
}

/** Columns are spread out over the windows when they are first read: most readers want one or two of them. */
class CellSeries implements RollupSeries {
  readonly kind: RollupKind
  readonly key: readonly string[]
  readonly #shape: KindShape
  readonly #table: CellTable
  /** By window. */
  readonly #cells: readonly number[]
  readonly #sketch: Sketches
  readonly #windows: Windows
  readonly #columns = new Map<string, Float64Array>()

  constructor(
    shape: KindShape,
    key: readonly string[],
    table: CellTable,
    cells: readonly number[],
    sketch: Sketches,
    windows: Windows,
  ) {
    this.kind = shape.kind
    this.key = key
    this.#shape = shape
    this.#table = table
    this.#cells = cells
    this.#sketch = sketch
    this.#windows = windows
  }

  /** False when corrections have taken back all there was. */
  get present(): boolean {
    if (this.#shape.cells === 'value') return true
    if (this.#shape.cells === 'call' && this.key[2] === 'metric') return true
    return this.#cells.some(cell => !this.#table.isZero(cell))
  }

  get count(): Float64Array {
    return this.#column('count', cell => this.#table.count[cell])
  }

  get errors(): Float64Array {
    return this.#column('errors', cell => this.#table.errors[cell])
  }

  get sum(): Float64Array {
    const perUnit = this.#shape.cells === 'value' ? 1 : 1e6
    return this.#column('sum', cell => (this.#table.sum[cell] ?? 0) / perUnit)
  }

  get self(): Float64Array {
    const perUnit = this.#shape.cells === 'value' ? 1 : 1e6
    return this.#column('self', cell => (this.#table.self[cell] ?? 0) / perUnit)
  }

  get paired(): Float64Array {
    return this.#column('paired', cell => this.#table.paired[cell])
  }

  get max(): Float64Array {
    if (this.#shape.cells === 'value') return this.#column('max', cell => this.#table.max[cell])
    return this.#column('max', cell => this.#largestMs(cell))
  }

  quantile(q: number, from?: number, to?: number): number {
    const counts = new Float64Array(bucketCount)
    this.#eachBucket(from, to, (bucket, count) => {
      counts[bucket] = (counts[bucket] ?? 0) + count
    })
    return quantileOf(counts, q)
  }

  countAbove(ms: number, from?: number, to?: number): number {
    const limit = bucketOfMs(ms)
    let above = 0
    this.#eachBucket(from, to, (bucket, count) => {
      if (bucket > limit) above += count
    })
    return above
  }

  /** From the sketch, since the largest of a sum of corrections cannot be taken back otherwise. */
  #largestMs(cell: number): number {
    const { ranges, buckets, counts } = this.#sketch
    for (let row = (ranges[cell + 1] ?? 0) - 1; row >= (ranges[cell] ?? 0); row--) {
      if ((counts[row] ?? 0) > 0) return bucketValueMs(buckets[row] ?? 0)
    }
    return 0
  }

  #eachBucket(
    from: number | undefined,
    to: number | undefined,
    use: (bucket: number, count: number) => void,
  ): void {
    const base = this.#windows.firstWindow
    const last = to === undefined ? this.#windows.lastWindow : base + to
    const { ranges, buckets, counts } = this.#sketch
    for (let i = this.#firstAt(base + (from ?? 0)); i < this.#cells.length; i++) {
      const cell = this.#cells[i] ?? 0
      if (this.#table.windowOf(cell) >= last) return
      for (let row = ranges[cell] ?? 0; row < (ranges[cell + 1] ?? 0); row++) {
        use(buckets[row] ?? 0, counts[row] ?? 0)
      }
    }
  }

  /** Index of the first cell at or behind a window, by bisection. */
  #firstAt(window: number): number {
    let low = 0
    let high = this.#cells.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#table.windowOf(this.#cells[middle] ?? 0) < window) low = middle + 1
      else high = middle
    }
    return low
  }

  #column(name: string, read: (cell: number) => number | undefined): Float64Array {
    const known = this.#columns.get(name)
    if (known !== undefined) return known
    const column = new Float64Array(this.#windows.lastWindow - this.#windows.firstWindow)
    for (const cell of this.#cells) {
      column[this.#table.windowOf(cell) - this.#windows.firstWindow] = read(cell) ?? 0
    }
    this.#columns.set(name, column)
    return column
  }
}
