/** Series of one kind over the windows of a view, read from decoded blocks where they lie. */
import type { RollupKind, RollupSeries } from '../../model/rollup.ts'
import type { DecodedKind } from './decode.ts'
import { compareKeys, type KindShape } from './series-keys.ts'
import { bucketCount, bucketOfMs, bucketValueMs } from './sketch.ts'

/** A section and how many of its windows make one of the view. */
export interface SourceSection {
  readonly cells: DecodedKind
  readonly factor: number
}

export interface ViewWindows {
  /** Number of the first window (start in ms divided by the width), and how many there are. */
  readonly first: number
  readonly length: number
}

/** The cells of all series, by series and window: row `row[i]` of section `section[i]`, in window `window[i]`. */
export interface CellIndex {
  readonly sections: readonly SourceSection[]
  readonly section: Uint32Array
  readonly row: Uint32Array
  readonly window: Uint32Array
}

/** All series of a kind with a cell in the windows, sorted by key; of keys that are wanted, where that is given. */
export function readSeries(
  shape: KindShape,
  sections: readonly SourceSection[],
  windows: ViewWindows,
  wanted?: (key: readonly string[]) => boolean,
): RollupSeries[] {
  const numbers = new Map<string, number>()
  const keys: (readonly string[])[] = []
  const counts: number[] = []
  const numberOf = sections.map(section =>
    section.cells.texts.map((text, s) => {
      if (wanted !== undefined && !wanted(section.cells.keys[s] ?? [])) return -1
      const inside = countInside(section, s, windows)
      if (inside === 0) return -1
      const number = numbers.get(text) ?? keys.length
      if (number === keys.length) {
        numbers.set(text, number)
        keys.push(section.cells.keys[s] ?? [])
        counts.push(0)
      }
      counts[number] = (counts[number] ?? 0) + inside
      return number
    }),
  )
  const { index, first } = buildIndex(sections, numberOf, counts, windows)
  return keys
    .map((key, n) => new ViewSeries(shape, key, index, first[n] ?? 0, first[n + 1] ?? 0, windows.length))
    .filter(series => series.present)
    .sort((a, b) => compareKeys(a.key, b.key))
}

function windowOf(section: SourceSection, row: number, windows: ViewWindows): number {
  return Math.floor((section.cells.window[row] ?? 0) / section.factor) - windows.first
}

function countInside(section: SourceSection, series: number, windows: ViewWindows): number {
  let inside = 0
  const end = section.cells.first[series + 1] ?? 0
  for (let row = section.cells.first[series] ?? 0; row < end; row++) {
    const window = windowOf(section, row, windows)
    if (window >= 0 && window < windows.length) inside++
  }
  return inside
}

function buildIndex(
  sections: readonly SourceSection[],
  numberOf: readonly (readonly number[])[],
  counts: readonly number[],
  windows: ViewWindows,
): { index: CellIndex; first: Uint32Array } {
  const first = new Uint32Array(counts.length + 1)
  for (const [n, count] of counts.entries()) first[n + 1] = (first[n] ?? 0) + count
  const total = first[counts.length] ?? 0
  const index: CellIndex = {
    sections,
    section: new Uint32Array(total),
    row: new Uint32Array(total),
    window: new Uint32Array(total),
  }
  const next = first.slice()
  for (const [at, section] of sections.entries()) {
    for (const [s, number] of (numberOf[at] ?? []).entries()) {
      if (number < 0) continue
      const end = section.cells.first[s + 1] ?? 0
      for (let row = section.cells.first[s] ?? 0; row < end; row++) {
        const window = windowOf(section, row, windows)
        if (window < 0 || window >= windows.length) continue
        place(index, first[number] ?? 0, next[number] ?? 0, { section: at, row, window })
        next[number] = (next[number] ?? 0) + 1
      }
    }
  }
  return { index, first }
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
      const cells = sections[section[i] ?? 0]?.cells
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
    return sections[section[i] ?? 0]?.cells[name][row[i] ?? 0] ?? 0
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
      const cells = sections[section[i] ?? 0]?.cells
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
