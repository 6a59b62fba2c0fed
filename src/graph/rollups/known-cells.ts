/** Sections of records whose series go by the numbers of a tenant's `SeriesNames`: what readers keep of records. */
import type { RollupRecord } from '../../model/store.ts'
import type { CellColumns } from './decode.ts'
import { openOnce } from './open-once.ts'
import { SeriesNames } from './series-names.ts'

export class KnownCells {
  readonly cells: CellColumns
  /** Number of each series. */
  readonly numbers: Uint32Array
  readonly stepSeconds: number
  /** Places in `numbers` in the order of the numbers; null while nobody has looked for one. */
  #places: Uint32Array | null = null

  constructor(cells: CellColumns, numbers: Uint32Array, stepSeconds: number) {
    this.cells = cells
    this.numbers = numbers
    this.stepSeconds = stepSeconds
  }

  /** What it takes in memory, about; columns may share a buffer. */
  get bytes(): number {
    const { first, window, bucketFirst, count, bucketCounts } = this.cells
    const buffers = new Set([first, window, bucketFirst, count, bucketCounts].map(column => column.buffer))
    let bytes = 1_000 + this.numbers.byteLength * 2
    for (const buffer of buffers) bytes += buffer.byteLength
    return bytes
  }

  /** Place of the series in this section, -1 where it has none of it. */
  placeOf(number: number): number {
    this.#places ??= placesByNumber(this.numbers)
    const { numbers } = this
    let low = 0
    let high = numbers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((numbers[this.#places[middle] as number] as number) < number) low = middle + 1
      else high = middle
    }
    const place = this.#places[low]
    return place !== undefined && numbers[place] === number ? place : -1
  }
}

function placesByNumber(numbers: Uint32Array): Uint32Array {
  const places = Uint32Array.from(numbers, (_, place) => place)
  let ascending = true
  for (let i = 1; i < numbers.length && ascending; i++)
    ascending = (numbers[i - 1] as number) < (numbers[i] as number)
  return ascending ? places : places.sort((a, b) => (numbers[a] as number) - (numbers[b] as number))
}

/** Where the sections of records come from. */
export interface SectionSource {
  readonly names: SeriesNames
  /** Undefined where the record has nothing of the kind. Throws StoreError `corrupt_rollup`. */
  section(record: RollupRecord, kind: number): KnownCells | undefined
}

/** Decodes a section and takes its series into the names. */
export function readSection(names: SeriesNames, record: RollupRecord, kind: number): KnownCells | undefined {
  const block = openOnce(record)
  const decoded = block.section(kind)
  if (decoded === undefined) return undefined
  return new KnownCells(decoded.cells, names.numbersOf(kind, decoded), block.stepSeconds)
}

/** Keeps every section for as long as it lives itself. */
export function freshSections(): SectionSource {
  const names = new SeriesNames()
  const known = new Map<string, KnownCells | undefined>()
  return {
    names,
    section(record, kind) {
      const key = `${record.id} ${kind}`
      if (!known.has(key)) known.set(key, readSection(names, record, kind))
      return known.get(key)
    },
  }
}
