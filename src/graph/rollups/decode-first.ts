/** Sections of rollup blocks of version 1: varints throughout, one column after the other. Read, never written. */
import { BlockReader, corrupt } from './byte-stream.ts'
import type { CellColumns, DecodedKind } from './decode.ts'
import type { KindShape } from './series-keys.ts'
import { bucketCount } from './sketch.ts'

/** Throws StoreError `corrupt_rollup`. */
export function decodeFirst(shape: KindShape, bytes: Uint8Array): DecodedKind {
  const reader = new BlockReader(bytes)
  const texts: string[] = []
  for (let left = reader.count(1); left > 0; left--) texts.push(reader.text())
  const parts: number[][] = Array.from({ length: shape.parts }, () => [])
  const keys = reader.count(shape.parts)
  for (let left = keys; left > 0; left--) {
    for (const column of parts) {
      const text = reader.varint()
      if (texts[text] === undefined) throw corrupt(`a key of text ${text}`)
      column.push(text)
    }
  }
  const first = new Uint32Array(keys + 1)
  for (let s = 0; s < keys; s++) first[s + 1] = (first[s] ?? 0) + reader.varint()
  const cells = first[keys] ?? 0
  if (cells > reader.remaining) throw corrupt(`${cells} cells in ${reader.remaining} bytes`)
  const window = Uint32Array.from(reader.signedColumn(cells, true))
  const count = reader.signedColumn(cells)
  const columns = readCells(reader, shape, cells)
  return { partTexts: texts, parts, cells: { first, window, count, ...columns } }
}

type CountedColumns = Omit<CellColumns, 'first' | 'window' | 'count'>

function readCells(reader: BlockReader, shape: KindShape, cells: number): CountedColumns {
  const none = new Float64Array(shape.cells === 'value' ? 0 : cells)
  const bare = {
    errors: none,
    sum: none,
    self: none,
    paired: none,
    max: none,
    lastMs: none,
    bucketFirst: new Uint32Array(cells + 1),
    buckets: new Uint16Array(0),
    bucketCounts: new Float64Array(0),
  }
  if (shape.cells === 'count') return bare
  if (shape.cells === 'value') {
    const values = () => readColumn(cells, () => reader.float64())
    return {
      ...bare,
      errors: reader.signedColumn(cells),
      sum: values(),
      self: values(),
      paired: values(),
      max: values(),
      lastMs: values(),
    }
  }
  const errors = reader.signedColumn(cells)
  const sum = reader.signedColumn(cells)
  const self = reader.signedColumn(cells)
  const paired = shape.cells === 'call' ? reader.signedColumn(cells) : none
  return { ...bare, errors, sum, self, paired, ...readBuckets(reader, cells) }
}

function readBuckets(
  reader: BlockReader,
  cells: number,
): Pick<CellColumns, 'bucketFirst' | 'buckets' | 'bucketCounts'> {
  const bucketFirst = new Uint32Array(cells + 1)
  for (let cell = 0; cell < cells; cell++) bucketFirst[cell + 1] = (bucketFirst[cell] ?? 0) + reader.varint()
  const rows = bucketFirst[cells] ?? 0
  if (rows * 2 > reader.remaining) throw corrupt(`${rows} buckets in ${reader.remaining} bytes`)
  const buckets = new Uint16Array(rows)
  const bucketCounts = new Float64Array(rows)
  for (let cell = 0; cell < cells; cell++) {
    let bucket = 0
    for (let row = bucketFirst[cell] ?? 0; row < (bucketFirst[cell + 1] ?? 0); row++) {
      bucket += reader.varint()
      if (bucket >= bucketCount) throw corrupt(`bucket ${bucket}`)
      buckets[row] = bucket
      bucketCounts[row] = reader.signed()
    }
  }
  return { bucketFirst, buckets, bucketCounts }
}

function readColumn(length: number, next: () => number): Float64Array {
  const column = new Float64Array(length)
  for (let i = 0; i < length; i++) column[i] = next()
  return column
}
