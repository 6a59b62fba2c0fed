/** A section with a single cell for each series: what is left of time when windows are added up. */
import type { DecodedKind } from './decode.ts'
import type { KindShape } from './series-keys.ts'
import { bucketCount } from './sketch.ts'
import type { SourceSection, ViewWindows } from './view-series.ts'

/** Bucket counts of the series at hand; all zero between uses. */
const scratch = new Float64Array(bucketCount)

/** Adds up the cells of the windows, series by series; what cancelled out altogether is left out. */
export function collapseSections(
  shape: KindShape,
  sections: readonly SourceSection[],
  windows: ViewWindows,
): DecodedKind {
  const sums = new SeriesSums(sections)
  for (const [at, section] of sections.entries()) sums.addSection(at, section, windows)
  return sums.finish(shape)
}

/** What a section takes in memory, about; keys are mostly shared with others. */
export function sectionBytes(cells: DecodedKind): number {
  return cells.count.length * 60 + cells.keys.length * 40 + cells.buckets.length * 10
}

class SeriesSums {
  readonly #sections: readonly SourceSection[]
  readonly #numbers = new Map<string, number>()
  readonly #keys: (readonly string[])[] = []
  readonly #texts: string[] = []
  #count = new Float64Array(1024)
  #errors = new Float64Array(1024)
  #sum = new Float64Array(1024)
  #self = new Float64Array(1024)
  #paired = new Float64Array(1024)
  /** Runs of rows of a series, as lists: section, first row, row behind the last, and the next run. */
  #lastRun = new Int32Array(1024)
  readonly #runs: number[] = []

  constructor(sections: readonly SourceSection[]) {
    this.#sections = sections
  }

  addSection(at: number, { cells, factor }: SourceSection, windows: ViewWindows): void {
    const { first, window } = cells
    for (let series = 0; series < cells.texts.length; series++) {
      let from = first[series] as number
      let to = first[series + 1] as number
      // Windows ascend within a series.
      while (from < to && Math.floor((window[from] as number) / factor) < windows.first) from++
      const end = windows.first + windows.length
      while (to > from && Math.floor((window[to - 1] as number) / factor) >= end) to--
      if (from === to) continue
      const number = this.#numberOf(cells, series)
      for (let row = from; row < to; row++) {
        this.#count[number] = (this.#count[number] as number) + (cells.count[row] as number)
        this.#errors[number] = (this.#errors[number] as number) + (cells.errors[row] as number)
        this.#sum[number] = (this.#sum[number] as number) + (cells.sum[row] as number)
        this.#self[number] = (this.#self[number] as number) + (cells.self[row] as number)
        this.#paired[number] = (this.#paired[number] as number) + (cells.paired[row] as number)
      }
      this.#runs.push(at, from, to, this.#lastRun[number] as number)
      this.#lastRun[number] = this.#runs.length
    }
  }

  /** All cells lie in window 0. */
  finish(shape: KindShape): DecodedKind {
    const kept: number[] = []
    for (let number = 0; number < this.#keys.length; number++)
      if (this.#isThere(shape, number)) kept.push(number)
    const bucketFirst = new Uint32Array(kept.length + 1)
    const buckets: number[] = []
    const bucketCounts: number[] = []
    for (const [place, number] of kept.entries()) {
      this.#writeBuckets(number, buckets, bucketCounts)
      bucketFirst[place + 1] = buckets.length
    }
    const none = new Float64Array(kept.length)
    const column = (from: Float64Array): Float64Array => {
      const to = new Float64Array(kept.length)
      for (let place = 0; place < to.length; place++) to[place] = from[kept[place] as number] as number
      return to
    }
    const first = new Uint32Array(kept.length + 1)
    for (let place = 0; place < first.length; place++) first[place] = place
    return {
      keys: kept.map(number => this.#keys[number] ?? []),
      texts: kept.map(number => this.#texts[number] ?? ''),
      first,
      window: none,
      count: column(this.#count),
      errors: column(this.#errors),
      sum: column(this.#sum),
      self: column(this.#self),
      paired: column(this.#paired),
      max: none,
      lastMs: none,
      bucketFirst,
      buckets: Uint16Array.from(buckets),
      bucketCounts: Float64Array.from(bucketCounts),
    }
  }

  /** Edges known from metrics alone have no counts and are there all the same. */
  #isThere(shape: KindShape, number: number): boolean {
    const columns = [this.#count, this.#errors, this.#sum, this.#self, this.#paired]
    return (
      columns.some(column => column[number] !== 0) ||
      (shape.cells === 'call' && this.#keys[number]?.[2] === 'metric')
    )
  }

  #writeBuckets(number: number, buckets: number[], bucketCounts: number[]): void {
    let low = bucketCount
    let high = -1
    for (let run = this.#lastRun[number] as number; run > 0; run = this.#runs[run - 1] as number) {
      const cells = this.#sections[this.#runs[run - 4] as number]?.cells
      if (cells === undefined) continue
      const from = cells.bucketFirst[this.#runs[run - 3] as number] as number
      const to = cells.bucketFirst[this.#runs[run - 2] as number] as number
      for (let at = from; at < to; at++) {
        const bucket = cells.buckets[at] as number
        scratch[bucket] = (scratch[bucket] as number) + (cells.bucketCounts[at] as number)
        if (bucket < low) low = bucket
        if (bucket > high) high = bucket
      }
    }
    for (let bucket = low; bucket <= high; bucket++) {
      const here = scratch[bucket] as number
      scratch[bucket] = 0
      if (here === 0) continue
      buckets.push(bucket)
      bucketCounts.push(here)
    }
  }

  #numberOf(cells: DecodedKind, series: number): number {
    const text = cells.texts[series] ?? ''
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.#keys.length
    this.#numbers.set(text, number)
    this.#keys.push(cells.keys[series] ?? [])
    this.#texts.push(text)
    if (number >= this.#count.length) this.#widen()
    return number
  }

  #widen(): void {
    this.#count = widened(this.#count)
    this.#errors = widened(this.#errors)
    this.#sum = widened(this.#sum)
    this.#self = widened(this.#self)
    this.#paired = widened(this.#paired)
    const runs = new Int32Array(this.#lastRun.length * 2)
    runs.set(this.#lastRun)
    this.#lastRun = runs
  }
}

function widened(column: Float64Array): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(column.length * 2)
  wider.set(column)
  return wider
}
