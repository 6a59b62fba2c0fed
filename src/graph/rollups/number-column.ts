/**
 * Columns of numbers in the narrowest width that holds all of them. Cells are kept and stored like this: most
 * counts fit into a byte, and a column is read by laying a typed array over its bytes.
 */
export type NumberColumn = Int8Array | Int16Array | Int32Array | Float64Array

/** Bytes of a number; 0 for a column of nothing but zeros. */
export type ColumnWidth = 0 | 1 | 2 | 4 | 8

/** What was gathered last; grows to the longest column. One kind of array, so that what narrows it is fast code. */
let scratch = new Float64Array(4096)

function scratchOf(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(Math.max(length, scratch.length * 2))
  return scratch
}

/** Values `source[at[0]]`, `source[at[1]]` and so on. */
export function gathered(source: Float64Array | Uint16Array, at: Uint32Array): NumberColumn {
  const values = scratchOf(at.length)
  for (let i = 0; i < at.length; i++) values[i] = source[at[i] as number] as number
  return narrowest(values, at.length)
}

/** The same numbers, narrower where that is possible. */
export function narrowed(source: readonly number[] | Uint32Array): NumberColumn {
  const values = scratchOf(source.length)
  for (let i = 0; i < source.length; i++) values[i] = source[i] as number
  return narrowest(values, source.length)
}

function narrowest(values: Float64Array, length: number): NumberColumn {
  const column = columnOf(widthOf(values, length), length)
  column.set(values.subarray(0, length))
  return column
}

/** Of a column as it is stored. */
export function storedWidth(column: NumberColumn): ColumnWidth {
  for (let i = 0; i < column.length; i++) if (column[i] !== 0) return column.BYTES_PER_ELEMENT as ColumnWidth
  return 0
}

function widthOf(values: Float64Array, length: number): ColumnWidth {
  let least = 0
  let most = 0
  for (let i = 0; i < length; i++) {
    const value = values[i] as number
    if ((value | 0) !== value) return 8
    if (value < least) least = value
    else if (value > most) most = value
  }
  if (least >= -0x80 && most < 0x80) return 1
  return least >= -0x8000 && most < 0x8000 ? 2 : 4
}

function columnOf(width: ColumnWidth, length: number): NumberColumn {
  if (width === 8) return new Float64Array(length)
  if (width === 4) return new Int32Array(length)
  return width === 2 ? new Int16Array(length) : new Int8Array(length)
}

/** A column laid over bytes that begin at a multiple of eight; numbers are little-endian, as every host we run on is. */
export function columnOver(
  bytes: Uint8Array,
  from: number,
  width: ColumnWidth,
  length: number,
): NumberColumn {
  const at = bytes.byteOffset + from
  const buffer = bytes.buffer
  if (width === 8) return new Float64Array(buffer, at, length)
  if (width === 4) return new Int32Array(buffer, at, length)
  if (width === 2) return new Int16Array(buffer, at, length)
  return width === 1 ? new Int8Array(buffer, at, length) : new Int8Array(length)
}
