/**
 * One kind's section of a rollup block: its columns one behind the other, each where a typed array may begin.
 *
 * Seven numbers of 32 bits (texts, series, cells, buckets, first window, columns, bytes of text), a byte of width
 * for each column, then columns at multiples of eight: lengths of texts in UTF-16 units, key parts as numbers of
 * texts (one column a part), cells per series, windows behind the first, then what `KindShape.cells` says; the
 * texts in UTF-8 last. All little-endian.
 */
import { corrupt } from './byte-stream.ts'
import { windowsPerBlock } from './cell-order.ts'
import { type ColumnWidth, columnOver, type NumberColumn, storedWidth } from './number-column.ts'
import { bucketCount } from './sketch.ts'

export interface SectionSizes {
  readonly texts: number
  readonly series: number
  readonly cells: number
  readonly buckets: number
  readonly firstWindow: number
}

const headBytes = 28
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function writeColumns(
  sizes: SectionSizes,
  columns: readonly NumberColumn[],
  texts: readonly string[],
): Uint8Array {
  const text = encoder.encode(texts.join(''))
  const widths = columns.map(storedWidth)
  let length = aligned(headBytes + columns.length)
  for (const [at, column] of columns.entries()) length += aligned(column.length * (widths[at] ?? 0))
  const bytes = new Uint8Array(length + text.length)
  const view = new DataView(bytes.buffer)
  const head = [sizes.texts, sizes.series, sizes.cells, sizes.buckets, sizes.firstWindow, columns.length]
  for (const [at, value] of [...head, text.length].entries()) view.setUint32(at * 4, value, true)
  bytes.set(widths, headBytes)
  let at = aligned(headBytes + columns.length)
  for (const [n, column] of columns.entries()) {
    const size = column.length * (widths[n] ?? 0)
    if (size === 0) continue
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, size), at)
    at += aligned(size)
  }
  bytes.set(text, length)
  return bytes
}

function aligned(length: number): number {
  return (length + 7) & ~7
}

/** Reads a section's columns in the order in which they were written. Throws StoreError `corrupt_rollup`. */
export class ColumnReader {
  readonly sizes: SectionSizes
  readonly #bytes: Uint8Array
  readonly #widths: Uint8Array
  readonly #textFrom: number
  #column = 0
  #at: number

  constructor(bytes: Uint8Array) {
    if (bytes.length < headBytes) throw corrupt(`a section of ${bytes.length} bytes`)
    // A typed array has to begin at a multiple of its width. A copy, which `slice` of a Buffer is not.
    this.#bytes = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const read = (n: number): number => view.getUint32(n * 4, true)
    this.sizes = {
      texts: read(0),
      series: read(1),
      cells: read(2),
      buckets: read(3),
      firstWindow: read(4),
    }
    checkSizes(this.sizes, bytes.length)
    const columns = read(5)
    // Before it is aligned: that is done in 32 bits, in which a large number would turn negative.
    if (columns > bytes.length) throw corrupt(`${columns} columns in ${bytes.length} bytes`)
    this.#at = aligned(headBytes + columns)
    this.#textFrom = bytes.length - read(6)
    if (this.#textFrom < this.#at) throw corrupt('its texts or columns are longer than the section')
    this.#widths = bytes.subarray(headBytes, headBytes + columns)
  }

  next(length: number): NumberColumn {
    const width = this.#widths[this.#column++]
    if (width !== 0 && width !== 1 && width !== 2 && width !== 4 && width !== 8)
      throw corrupt(`a column of width ${width}`)
    const size = length * width
    if (this.#at + size > this.#textFrom) throw corrupt('a column ends behind the section')
    const column = columnOver(this.#bytes, this.#at, width satisfies ColumnWidth, length)
    this.#at += aligned(size)
    return column
  }

  /** All texts, by their lengths. */
  texts(lengths: NumberColumn): string[] {
    const all = decoder.decode(this.#bytes.subarray(this.#textFrom))
    const texts: string[] = []
    let from = 0
    for (let i = 0; i < lengths.length; i++) {
      const to = from + (lengths[i] as number)
      if (to < from) throw corrupt(`a text of ${lengths[i]} units`)
      texts.push(all.slice(from, to))
      from = to
    }
    if (from !== all.length) throw corrupt(`texts of ${from} units in ${all.length}`)
    return texts
  }
}

/** A request has a million items, which make six or seven cells each. */
const maxCells = 2 ** 23
const maxBuckets = 2 ** 26

/**
 * Of a damaged section: a column of zeros takes no bytes whatever its length. But texts differ, and so do the keys of
 * series; and a series has a cell in each window of the block at most.
 */
function checkSizes({ texts, series, cells, buckets }: SectionSizes, bytes: number): void {
  const most: readonly (readonly [string, number, number])[] = [
    ['texts', texts, bytes],
    ['series', series, bytes],
    ['cells', cells, Math.min(series * windowsPerBlock, maxCells)],
    ['buckets', buckets, Math.min(cells * bucketCount, maxBuckets)],
  ]
  for (const [what, size, bound] of most) if (size > bound) throw corrupt(`${size} ${what}`)
}
