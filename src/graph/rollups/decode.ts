/** Stored rollup blocks back into columns, one kind at a time; see `encode.ts` for the layout. */
import { StoreError } from '../../errors.ts'
import { crc32c } from '../../model/crc32c.ts'
import { unpackFrame } from '../../model/zstd-context.ts'
import { BlockReader, corrupt } from './byte-stream.ts'
import { decodeFirst } from './decode-first.ts'
import { blockMagic, blockVersion } from './encode.ts'
import type { NumberColumn } from './number-column.ts'
import { ColumnReader } from './section-columns.ts'
import { type KindShape, kindShapes } from './series-keys.ts'
import { bucketCount } from './sketch.ts'

/** Cells of one kind. Cells of series `s` are rows `[first[s], first[s + 1])`, windows ascending. */
export interface CellColumns {
  readonly first: Uint32Array
  /** Window numbers: start in ms divided by the block's width in ms. */
  readonly window: Uint32Array
  readonly count: NumberColumn
  readonly errors: NumberColumn
  readonly sum: NumberColumn
  readonly self: NumberColumn
  readonly paired: NumberColumn
  readonly max: NumberColumn
  readonly lastMs: NumberColumn
  /** Buckets of cell `c` are rows `[bucketFirst[c], bucketFirst[c + 1])`. */
  readonly bucketFirst: Uint32Array
  readonly buckets: NumberColumn | Uint16Array
  readonly bucketCounts: NumberColumn
}

/** The cells, and whose they are. */
export interface DecodedKind {
  readonly cells: CellColumns
  /** The distinct parts of keys; part `p` of the key of series `s` is `partTexts[parts[p][s]]`. */
  readonly partTexts: readonly string[]
  readonly parts: readonly ArrayLike<number>[]
}

/** The keys of all series of a section. */
export function keysOf({ cells, partTexts, parts }: DecodedKind): readonly (readonly string[])[] {
  return Array.from({ length: cells.first.length - 1 }, (_, s) =>
    parts.map(column => partTexts[column[s] as number] as string),
  )
}

export interface RollupBlock {
  readonly stepSeconds: number
  /** Of all sections together, once they are decompressed. */
  readonly rawBytes: number
  /**
   * Decodes the section of a kind, anew each time; undefined where the block has none. Throws StoreError
   * `corrupt_rollup`.
   */
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
  if (version !== 1 && version !== blockVersion)
    throw corrupt(`its version ${version} is not ${blockVersion}`)
  const stepSeconds = reader.uint32()
  const sections = new Map<number, PackedSection>()
  for (let left = reader.byte(); left > 0; left--) {
    const kind = reader.byte()
    const compressed = reader.byte() === 1
    const rawLength = reader.uint32()
    sections.set(kind, { compressed, rawLength, bytes: reader.raw(reader.uint32()) })
  }
  let rawBytes = 0
  for (const { rawLength } of sections.values()) rawBytes += rawLength
  return {
    stepSeconds,
    rawBytes,
    section: kind => {
      const packed = sections.get(kind)
      const shape = kindShapes[kind]
      if (packed === undefined || shape === undefined) return undefined
      const raw = unpack(packed)
      return version === 1 ? decodeFirst(shape, raw) : decodeSection(shape, raw)
    },
  }
}

function unpack(section: PackedSection): Uint8Array {
  if (!section.compressed) return section.bytes
  if (section.rawLength > maxSectionBytes) throw corrupt(`a section of ${section.rawLength} bytes`)
  try {
    return unpackFrame(section.bytes, section.rawLength)
  } catch (cause) {
    const error = corrupt('a section does not decompress')
    error.cause = cause
    throw error
  }
}

function decodeSection(shape: KindShape, bytes: Uint8Array): DecodedKind {
  const reader = new ColumnReader(bytes)
  const { sizes } = reader
  const { cells } = sizes
  const textLengths = reader.next(sizes.texts)
  const parts = Array.from({ length: shape.parts }, () => reader.next(sizes.series))
  const first = summed(reader.next(sizes.series), cells, 'cells')
  const window = windowsFrom(reader.next(cells), sizes.firstWindow)
  const count = reader.next(cells)
  const none = new Int8Array(shape.cells === 'value' ? 0 : cells)
  const next = (): NumberColumn => (shape.cells === 'count' ? none : reader.next(cells))
  const [errors, sum, self] = [next(), next(), next()]
  const paired = shape.cells === 'duration' ? none : next()
  const [max, lastMs] = shape.cells === 'value' ? [next(), next()] : [none, none]
  const sketches = shape.cells === 'duration' || shape.cells === 'call'
  const bucketFirst = sketches
    ? summed(reader.next(cells), sizes.buckets, 'buckets')
    : new Uint32Array(cells + 1)
  const buckets = sketches ? reader.next(sizes.buckets) : none.subarray(0, 0)
  const bucketCounts = sketches ? reader.next(sizes.buckets) : none.subarray(0, 0)
  if (buckets instanceof Int8Array) checkNarrowBuckets(buckets)
  else checkBuckets(buckets)
  const partTexts = reader.texts(textLengths)
  for (const column of parts)
    for (let s = 0; s < column.length; s++)
      if (partTexts[column[s] as number] === undefined) throw corrupt(`a key of text ${column[s]}`)
  const called = { window, count, errors, sum, self, paired, max, lastMs }
  return { partTexts, parts, cells: { first, ...called, bucketFirst, buckets, bucketCounts } }
}

/** In a loop of its own: `from` with a function takes ten times as long. */
function windowsFrom(behind: NumberColumn, firstWindow: number): Uint32Array {
  const window = new Uint32Array(behind.length)
  window.set(behind)
  for (let row = 0; row < window.length; row++) window[row] = (window[row] as number) + firstWindow
  return window
}

function checkBuckets(buckets: NumberColumn): void {
  for (let row = 0; row < buckets.length; row++) {
    const bucket = buckets[row] as number
    if (bucket < 0 || bucket >= bucketCount) throw corrupt(`bucket ${bucket}`)
  }
}

/** Columns of one byte, apart from the others: the engine makes faster code of a loop that sees one kind of array. */
function checkNarrowBuckets(buckets: Int8Array): void {
  for (let row = 0; row < buckets.length; row++)
    if ((buckets[row] as number) < 0) throw corrupt(`bucket ${buckets[row]}`)
}

/** Where each of several runs begins, from their lengths. */
function summed(lengths: NumberColumn, total: number, what: string): Uint32Array {
  const first = new Uint32Array(lengths.length + 1)
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i] as number
    if (length < 0) throw corrupt(`${length} ${what}`)
    first[i + 1] = (first[i] as number) + length
  }
  if (first[lengths.length] !== total) throw corrupt(`${first[lengths.length]} ${what} instead of ${total}`)
  return first
}
