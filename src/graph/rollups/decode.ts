/** Stored rollup blocks back into columns, one kind at a time; see `encode.ts` for the layout. */
import { zstdDecompressSync } from 'node:zlib'
import { StoreError } from '../../errors.ts'
import { BlockReader, corrupt } from './byte-stream.ts'
import { crc32c } from './crc32c.ts'
import { blockMagic, blockVersion } from './encode.ts'
import { type KindShape, keyText, kindShapes } from './series-keys.ts'
import { bucketCount } from './sketch.ts'

/** Cells of one kind. Cells of series `s` are rows `[first[s], first[s + 1])`, windows ascending. */
export interface DecodedKind {
  readonly keys: readonly (readonly string[])[]
  /** The parts of each key joined, as a key of maps. */
  readonly texts: readonly string[]
  readonly first: Uint32Array
  /** Window numbers: start in ms divided by the block's width in ms. */
  readonly window: Float64Array
  readonly count: Float64Array
  readonly errors: Float64Array
  readonly sum: Float64Array
  readonly self: Float64Array
  readonly paired: Float64Array
  readonly max: Float64Array
  readonly lastMs: Float64Array
  /** Buckets of cell `c` are rows `[bucketFirst[c], bucketFirst[c + 1])`. */
  readonly bucketFirst: Uint32Array
  readonly buckets: Uint16Array
  readonly bucketCounts: Float64Array
}

export interface RollupBlock {
  readonly stepSeconds: number
  /** Decodes the section of a kind; undefined where the block has none. Throws StoreError `corrupt_rollup`. */
  section(kind: number): DecodedKind | undefined
}

/** A section's largest size after decompression: 16 times the cells a table can hold is never reached. */
const maxSectionBytes = 256 * 1024 * 1024

interface PackedSection {
  readonly compressed: boolean
  readonly rawLength: number
  readonly bytes: Uint8Array
}

/** Opens a block after checking its checksum. Throws StoreError `corrupt_rollup` or `newer_format`. */
export function openBlock(bytes: Uint8Array): RollupBlock {
  if (bytes.length < 14) throw corrupt(`${bytes.length} bytes`)
  const body = bytes.subarray(0, bytes.length - 4)
  const stored = new BlockReader(bytes.subarray(bytes.length - 4)).uint32()
  if (crc32c(body) !== stored) throw corrupt('its checksum does not match')
  const reader = new BlockReader(body)
  if (reader.uint32() !== blockMagic) throw corrupt('it does not start as one')
  const version = reader.byte()
  if (version > blockVersion)
    throw new StoreError(
      'newer_format',
      `rollup format ${version} is newer than ${blockVersion}, the newest this version reads; install the newer version`,
    )
  if (version !== blockVersion) throw corrupt(`its version ${version} is not ${blockVersion}`)
  const stepSeconds = reader.uint32()
  const sections = new Map<number, PackedSection>()
  for (let left = reader.byte(); left > 0; left--) {
    const kind = reader.byte()
    const compressed = reader.byte() === 1
    const rawLength = reader.uint32()
    sections.set(kind, { compressed, rawLength, bytes: reader.raw(reader.uint32()) })
  }
  const decoded = new Map<number, DecodedKind>()
  return {
    stepSeconds,
    section: kind => {
      const packed = sections.get(kind)
      const shape = kindShapes[kind]
      if (packed === undefined || shape === undefined) return undefined
      const known = decoded.get(kind) ?? decodeSection(shape, unpack(packed))
      decoded.set(kind, known)
      return known
    },
  }
}

function unpack(section: PackedSection): Uint8Array {
  if (!section.compressed) return section.bytes
  if (section.rawLength > maxSectionBytes) throw corrupt(`a section of ${section.rawLength} bytes`)
  try {
    return zstdDecompressSync(section.bytes, { maxOutputLength: section.rawLength })
  } catch (cause) {
    const error = corrupt('a section does not decompress')
    error.cause = cause
    throw error
  }
}

function decodeSection(shape: KindShape, bytes: Uint8Array): DecodedKind {
  const reader = new BlockReader(bytes)
  const texts: string[] = []
  for (let left = reader.count(1); left > 0; left--) texts.push(reader.text())
  const keys: string[][] = []
  for (let left = reader.count(shape.parts); left > 0; left--) {
    const key: string[] = []
    for (let part = 0; part < shape.parts; part++) key.push(texts[reader.varint()] ?? '')
    keys.push(key)
  }
  const first = new Uint32Array(keys.length + 1)
  for (let s = 0; s < keys.length; s++) first[s + 1] = (first[s] ?? 0) + reader.varint()
  const cells = first[keys.length] ?? 0
  if (cells > reader.remaining) throw corrupt(`${cells} cells in ${reader.remaining} bytes`)
  const window = reader.signedColumn(cells, true)
  const count = reader.signedColumn(cells)
  const columns = readCells(reader, shape, cells)
  return { keys, texts: keys.map(keyText), first, window, count, ...columns }
}

type CellColumns = Omit<DecodedKind, 'keys' | 'texts' | 'first' | 'window' | 'count'>

function readCells(reader: BlockReader, shape: KindShape, cells: number): CellColumns {
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
): Pick<DecodedKind, 'bucketFirst' | 'buckets' | 'bucketCounts'> {
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
