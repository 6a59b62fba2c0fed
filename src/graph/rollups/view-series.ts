/** Series of one kind over the windows of a view, read from decoded blocks where they lie. */
import type { RollupKind, RollupSeries } from '../../model/rollup.ts'
import type { KnownCells } from './known-cells.ts'
import type { KindShape } from './series-keys.ts'
import type { NamesOfKind } from './series-names.ts'
import { bucketCount, bucketOfMs, bucketValueMs } from './sketch.ts'

/** A section and how many of its windows make one of the view. */
export interface SourceSection {
  readonly known: KnownCells
  readonly factor: number
}

export interface ViewWindows {
  /** Number of the first window (start in ms divided by the width), and how many there are. */
  readonly first: number
  readonly length: number
}

/** The cells of all series, by series and window: row `row[i]` of section `section[i]`, in window `window[i]`. */
interface CellIndex {
  readonly sections: readonly SourceSection[]
  readonly section: Uint32Array
  readonly row: Uint32Array
  readonly window: Uint32Array
}

/** Series by number, of a tenant's names. */
export interface NamedShape {
  readonly shape: KindShape
  readonly names: NamesOfKind
}

/** All series of a kind with a cell in the windows, sorted by key; of those that are wanted, where that is given. */
export function readSeries(
  { shape, names }: NamedShape,
  sections: readonly SourceSection[],
  windows: ViewWindows,
  wanted?: readonly number[],
): RollupSeries[] {
  // Series in the order in which they are given, and where each of them is in it.
  const order = wanted === undefined ? names.sorted() : sortedBy(names, wanted)
  const runs = wanted === undefined ? runsOfAll(order, sections, windows) : runsOf(order, sections, windows)
  const first = new Uint32Array(order.length + 1)
  for (let r = 0; r < runs.length; r += 4) {
    const at = runs[r] as number
    first[at + 1] = (first[at + 1] as number) + (runs[r + 3] as number) - (runs[r + 2] as number)
  }
  for (let at = 0; at < order.length; at++) first[at + 1] = (first[at + 1] as number) + (first[at] as number)
  const index = buildIndex(sections, runs, first, windows)
  const series: RollupSeries[] = []
  for (let at = 0; at < order.length; at++) {
    const [from, to] = [first[at] as number, first[at + 1] as number]
    if (from === to) continue
    const one = new ViewSeries(shape, names.key(order[at] as number), index, from, to, windows.length)
    if (one.present) series.push(one)
  }
  return series
}

function sortedBy(names: NamesOfKind, numbers: readonly number[]): readonly number[] {
  return numbers.length < 2 ? numbers : numbers.toSorted((a, b) => names.compare(a, b))
}

/** Runs of rows inside the windows, four numbers each: place in `order`, section, first row, row behind the last. */
function runsOfAll(
  order: ArrayLike<number>,
  sections: readonly SourceSection[],
  windows: ViewWindows,
): number[] {
  const places = new Uint32Array(order.length)
  for (let at = 0; at < order.length; at++) places[order[at] as number] = at
  const runs: number[] = []
  for (const [at, section] of sections.entries()) {
    const { numbers } = section.known
    for (let place = 0; place < numbers.length; place++)
      addRun(runs, places[numbers[place] as number] as number, at, section, place, windows)
  }
  return runs
}

function runsOf(
  order: ArrayLike<number>,
  sections: readonly SourceSection[],
  windows: ViewWindows,
): number[] {
  const runs: number[] = []
  for (const [at, section] of sections.entries()) {
    for (let n = 0; n < order.length; n++) {
      const place = section.known.placeOf(order[n] as number)
      if (place >= 0) addRun(runs, n, at, section, place, windows)
    }
  }
  return runs
}

function addRun(
  runs: number[],
  number: number,
  at: number,
  { known, factor }: SourceSection,
  place: number,
  windows: ViewWindows,
): void {
  const { first, window } = known.cells
  const end = windows.first + windows.length
  let from = first[place] as number
  let to = first[place + 1] as number
  // Windows ascend within a series.
  while (from < to && Math.floor((window[from] as number) / factor) < windows.first) from++
  while (from < to && Math.floor((window[to - 1] as number) / factor) >= end) to--
  if (from < to) runs.push(number, at, from, to)
}

function buildIndex(
  sections: readonly SourceSection[],
  runs: readonly number[],
  first: Uint32Array,
  windows: ViewWindows,
): CellIndex {
  const total = first[first.length - 1] as number
  const index: CellIndex = {
    sections,
    section: new Uint32Array(total),
    row: new Uint32Array(total),
    window: new Uint32Array(total),
  }
  const next = first.slice()
  for (let r = 0; r < runs.length; r += 4) {
    const number = runs[r] as number
    const section = runs[r + 1] as number
    const source = sections[section] as SourceSection
    const { window } = source.known.cells
    for (let row = runs[r + 2] as number; row < (runs[r + 3] as number); row++) {
      const at = next[number] as number
      next[number] = at + 1
      const inView = Math.floor((window[row] as number) / source.factor) - windows.first
      place(index, first[number] as number, at, { section, row, window: inView })
    }
  }
  return index
}

/** Inserts by window; sections mostly come in the order of time, so there is little to move. */
function place(
  index: CellIndex,
  from: number,
  to: number,
  cell: { readonly section: number; readonly row: number; readonly window: number },
): void {
  let at = to
  while (at > from && (index.window[at - 1] ?? 0) > cell.window) {
    index.section[at] = index.section[at - 1] ?? 0
    index.row[at] = index.row[at - 1] ?? 0
    index.window[at] = index.window[at - 1] ?? 0
    at--
  }
  index.section[at] = cell.section
  index.row[at] = cell.row
  index.window[at] = cell.window
}

type Column = 'count' | 'errors' | 'sum' | 'self' | 'paired'

/** Bucket counts of the range at hand; all zero between uses. */
const scratch = new Float64Array(bucketCount)

/** Columns are spread out over the windows when they are first read: most readers want one or two of them. */
class ViewSeries implements RollupSeries {
  readonly kind: RollupKind
  readonly key: readonly string[]
  readonly #shape: KindShape
  readonly #index: CellIndex
  readonly #from: number
  readonly #to: number
  readonly #windows: number
  readonly #columns = new Map<string, Float64Array>()

  constructor(
    shape: KindShape,
    key: readonly string[],
    index: CellIndex,
    from: number,
    to: number,
    windows: number,
  ) {
    this.kind = shape.kind
    this.key = key
    this.#shape = shape
    this.#index = index
    this.#from = from
    this.#to = to
    this.#windows = windows
  }

  /** False when corrections have taken back all there was. */
  get present(): boolean {
    if (this.#shape.cells === 'value') return true
    if (this.#shape.cells === 'call' && this.key[2] === 'metric') return true
    let negative = false
    for (let i = this.#from; i < this.#to; i++) negative ||= this.#at('count', i) <= 0
    if (!negative) return true
    const columns: readonly Column[] = ['count', 'errors', 'sum', 'self', 'paired']
    return columns.some(name => this.#added(name, 1).some(value => value !== 0))
  }

  get count(): Float64Array {
    return this.#added('count', 1)
  }

  get errors(): Float64Array {
    return this.#added('errors', 1)
  }

  get sum(): Float64Array {
    return this.#added('sum', this.#shape.cells === 'value' ? 1 : 1e6)
  }

  get self(): Float64Array {
    return this.#shape.cells === 'value' ? this.#points('last') : this.#added('self', 1e6)
  }

  get paired(): Float64Array {
    return this.#shape.cells === 'value' ? this.#points('min') : this.#added('paired', 1)
  }

  get max(): Float64Array {
    return this.#shape.cells === 'value' ? this.#points('max') : this.#largest()
  }

  total(column: Column): number {
    let total = 0
    for (let i = this.#from; i < this.#to; i++) total += this.#at(column, i)
    return column === 'sum' || column === 'self' ? total / 1e6 : total
  }

  quantile(q: number, from = 0, to: number = this.#windows): number {
    const [low, high] = this.#gather(from, to)
    let total = 0
    for (let bucket = low; bucket <= high; bucket++) total += Math.max(0, scratch[bucket] ?? 0)
    const rank = Math.min(1, Math.max(0, q)) * (total - 1)
    let seen = 0
    let found = Number.NaN
    for (let bucket = low; bucket <= high; bucket++) {
      seen += Math.max(0, scratch[bucket] ?? 0)
      scratch[bucket] = 0
      if (Number.isNaN(found) && total > 0 && seen > rank) found = bucketValueMs(bucket)
    }
    return found
  }

  countAbove(ms: number, from = 0, to: number = this.#windows): number {
    const limit = bucketOfMs(ms)
    const [low, high] = this.#gather(from, to)
    let above = 0
    for (let bucket = low; bucket <= high; bucket++) {
      if (bucket > limit) above += scratch[bucket] ?? 0
      scratch[bucket] = 0
    }
    return above
  }

  /** Adds the buckets of windows [from, to) up in `scratch` and returns the lowest and highest one touched. */
  #gather(from: number, to: number): [number, number] {
    const { sections, section, row, window } = this.#index
    let low = bucketCount
    let high = -1
    for (let i = this.#firstAt(from); i < this.#to && (window[i] ?? 0) < to; i++) {
      const cells = sections[section[i] ?? 0]?.known.cells
      if (cells === undefined) continue
      const end = cells.bucketFirst[(row[i] ?? 0) + 1] ?? 0
      for (let at = cells.bucketFirst[row[i] ?? 0] ?? 0; at < end; at++) {
        const bucket = cells.buckets[at] ?? 0
        scratch[bucket] = (scratch[bucket] ?? 0) + (cells.bucketCounts[at] ?? 0)
        if (bucket < low) low = bucket
        if (bucket > high) high = bucket
      }
    }
    return [low, high]
  }

  /** Index of the first cell at or behind a window, by bisection. */
  #firstAt(window: number): number {
    let low = this.#from
    let high = this.#to
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#index.window[middle] ?? 0) < window) low = middle + 1
      else high = middle
    }
    return low
  }

  #at(name: Column, i: number): number {
    const { sections, section, row } = this.#index
    return sections[section[i] ?? 0]?.known.cells[name][row[i] ?? 0] ?? 0
  }

  #added(name: Column, divisor: number): Float64Array {
    const known = this.#columns.get(name)
    if (known !== undefined) return known
    const column = new Float64Array(this.#windows)
    for (let i = this.#from; i < this.#to; i++) {
      const window = this.#index.window[i] ?? 0
      column[window] = (column[window] ?? 0) + this.#at(name, i)
    }
    // Divided once, so that whole nanoseconds are added exactly.
    if (divisor !== 1) for (let w = 0; w < column.length; w++) column[w] = (column[w] ?? 0) / divisor
    this.#columns.set(name, column)
    return column
  }

  /** From the sketch, since the largest of a sum of corrections cannot be taken back otherwise. */
  #largest(): Float64Array {
    const known = this.#columns.get('max')
    if (known !== undefined) return known
    const column = new Float64Array(this.#windows)
    for (let i = this.#from; i < this.#to; ) {
      const window = this.#index.window[i] ?? 0
      while (i < this.#to && this.#index.window[i] === window) i++
      const [low, high] = this.#gather(window, window + 1)
      for (let bucket = high; bucket >= low; bucket--) {
        if ((scratch[bucket] ?? 0) > 0 && column[window] === 0) column[window] = bucketValueMs(bucket)
        scratch[bucket] = 0
      }
    }
    this.#columns.set('max', column)
    return column
  }

  /** Last, smallest or largest value of the points in each window; of equally late values the larger is last. */
  #points(what: 'last' | 'min' | 'max'): Float64Array {
    const known = this.#columns.get(what)
    if (known !== undefined) return known
    const column = new Float64Array(this.#windows)
    const seen = new Float64Array(this.#windows)
    const { sections, section, row, window } = this.#index
    for (let i = this.#from; i < this.#to; i++) {
      const cells = sections[section[i] ?? 0]?.known.cells
      const at = row[i] ?? 0
      const w = window[i] ?? 0
      const lastMs = cells?.lastMs[at] ?? 0
      if (cells === undefined || lastMs === 0) continue
      const value =
        (what === 'last' ? cells.self[at] : what === 'min' ? cells.paired[at] : cells.max[at]) ?? 0
      const before = column[w] ?? 0
      const latest = seen[w] ?? 0
      const better =
        what === 'last'
          ? lastMs > latest || (lastMs === latest && value > before)
          : what === 'min'
            ? value < before
            : value > before
      if (latest === 0 || better) column[w] = value
      seen[w] = Math.max(latest, lastMs)
    }
    this.#columns.set(what, column)
    return column
  }
}
