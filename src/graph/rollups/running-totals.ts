/** One kind's cells added up over a range that moves: what leaves it is taken off, what comes is added. */
import type { RollupKind, RollupSeries } from '../../model/rollup.ts'
import { widenFloat64 } from './pair-map.ts'
import { kindNumber, kindShapes } from './series-keys.ts'
import type { NamesOfKind } from './series-names.ts'
import { bucketOfMs, bucketValueMs } from './sketch.ts'
import { SparseSketches } from './sparse-sketches.ts'
import type { SourceSection } from './view-series.ts'

export type TotalColumn = 'count' | 'errors' | 'sum' | 'self' | 'paired'

/** Every sum is of whole numbers, so that taking off gives the bits of never having added. */
export class RunningTotals {
  readonly kind: RollupKind
  readonly names: NamesOfKind
  /** By number of the series; times in nanoseconds. */
  count: Float64Array = new Float64Array(256)
  errors: Float64Array = new Float64Array(256)
  sum: Float64Array = new Float64Array(256)
  self: Float64Array = new Float64Array(256)
  paired: Float64Array = new Float64Array(256)
  /** How many cells went in. */
  cells: Float64Array = new Float64Array(256)
  /** How many of them take something back. */
  negatives: Float64Array = new Float64Array(256)
  readonly sketches: SparseSketches = new SparseSketches()
  readonly #series: TotalSeries[] = []
  readonly #isCall: boolean

  constructor(kind: RollupKind, names: NamesOfKind) {
    this.kind = kind
    this.names = names
    this.#isCall = kindShapes[kindNumber(kind)]?.cells === 'call'
  }

  get bytes(): number {
    return this.count.length * 56 + this.sketches.bytes + this.#series.length * 120
  }

  /** Adds the cells in windows [from, to), or takes them off again (`sign` -1). Windows are those of the range. */
  apply({ known, factor }: SourceSection, from: number, to: number, sign: 1 | -1): void {
    const { cells, numbers } = known
    const [fromWindow, toWindow] = [from * factor, to * factor]
    this.#widen()
    for (let place = 0; place < numbers.length; place++) {
      const end = cells.first[place + 1] as number
      for (let row = cells.first[place] as number; row < end; row++) {
        const window = cells.window[row] as number
        if (window < fromWindow) continue
        // Windows ascend within a series.
        if (window >= toWindow) break
        this.#add(known.cells, row, numbers[place] as number, sign)
      }
    }
  }

  #add(cells: SourceSection['known']['cells'], row: number, n: number, sign: 1 | -1): void {
    this.count[n] = (this.count[n] as number) + sign * (cells.count[row] as number)
    this.errors[n] = (this.errors[n] as number) + sign * (cells.errors[row] as number)
    this.sum[n] = (this.sum[n] as number) + sign * (cells.sum[row] as number)
    this.self[n] = (this.self[n] as number) + sign * (cells.self[row] as number)
    this.paired[n] = (this.paired[n] as number) + sign * (cells.paired[row] as number)
    this.cells[n] = (this.cells[n] as number) + sign
    let negative = (cells.count[row] as number) < 0 || (cells.errors[row] as number) < 0
    const end = cells.bucketFirst[row + 1] as number
    for (let at = cells.bucketFirst[row] as number; at < end; at++) {
      const counted = cells.bucketCounts[at] as number
      negative ||= counted < 0
      this.sketches.add(n, cells.buckets[at] as number, sign * counted)
    }
    if (negative) this.negatives[n] = (this.negatives[n] as number) + sign
  }

  /** Whether corrections have left anything; an edge known from metrics alone has no counts. */
  isThere(n: number): boolean {
    if (this.cells[n] === 0) return false
    return (
      this.count[n] !== 0 ||
      this.errors[n] !== 0 ||
      this.sum[n] !== 0 ||
      this.self[n] !== 0 ||
      this.paired[n] !== 0 ||
      (this.#isCall && this.names.part(n, 2) === 'metric')
    )
  }

  /** All series with a cell in the range, sorted by key, or those of one service. */
  series(service?: string): readonly RollupSeries[] {
    this.#widen()
    const found: RollupSeries[] = []
    const numbers =
      service === undefined
        ? this.names.sorted()
        : this.names.ofService(service).toSorted((a, b) => this.names.compare(a, b))
    for (const n of numbers) if (this.isThere(n)) found.push(this.#seriesOf(n))
    return found
  }

  /** By the number of its name. */
  one(n: number): RollupSeries | undefined {
    this.#widen()
    return n >= 0 && this.isThere(n) ? this.#seriesOf(n) : undefined
  }

  #seriesOf(n: number): TotalSeries {
    const known = this.#series[n]
    if (known !== undefined) return known
    const made = new TotalSeries(this, n)
    this.#series[n] = made
    return made
  }

  #widen(): void {
    if (this.names.size <= this.count.length) return
    const length = Math.max(this.names.size, this.count.length * 2)
    this.count = widenFloat64(this.count, length)
    this.errors = widenFloat64(this.errors, length)
    this.sum = widenFloat64(this.sum, length)
    this.self = widenFloat64(this.self, length)
    this.paired = widenFloat64(this.paired, length)
    this.cells = widenFloat64(this.cells, length)
    this.negatives = widenFloat64(this.negatives, length)
  }
}

/** A series of one window; it moves with its totals. */
class TotalSeries implements RollupSeries {
  readonly #totals: RunningTotals
  readonly #number: number

  constructor(totals: RunningTotals, number: number) {
    this.#totals = totals
    this.#number = number
  }

  get kind(): RollupKind {
    return this.#totals.kind
  }

  get key(): readonly string[] {
    return this.#totals.names.key(this.#number)
  }

  get onlyAdded(): boolean {
    return this.#totals.negatives[this.#number] === 0
  }

  get count(): Float64Array {
    return Float64Array.of(this.total('count'))
  }

  get errors(): Float64Array {
    return Float64Array.of(this.total('errors'))
  }

  get sum(): Float64Array {
    return Float64Array.of(this.total('sum'))
  }

  get self(): Float64Array {
    return Float64Array.of(this.total('self'))
  }

  get paired(): Float64Array {
    return Float64Array.of(this.total('paired'))
  }

  get max(): Float64Array {
    const highest = this.#totals.sketches.highest(this.#number)
    return Float64Array.of(highest < 0 ? 0 : bucketValueMs(highest))
  }

  total(column: TotalColumn): number {
    const total = this.#totals[column][this.#number] ?? 0
    return column === 'sum' || column === 'self' ? total / 1e6 : total
  }

  quantile(q: number, from = 0, to = 1): number {
    return from <= 0 && to >= 1 ? this.#totals.sketches.quantile(this.#number, q) : Number.NaN
  }

  countAbove(ms: number, from = 0, to = 1): number {
    return from <= 0 && to >= 1 ? this.#totals.sketches.countAbove(this.#number, bucketOfMs(ms)) : 0
  }
}
