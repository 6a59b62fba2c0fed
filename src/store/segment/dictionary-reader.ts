/** The dictionary of one segment as frames refer to it; `RecordDictionary` writes it. */
import { varintBytes } from '../../otlp/wire/byte-writer.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'
import { wireBytes } from './held-fields.ts'

/** Tag of a key that stands for a rest that is no well-formed field: the bytes of the message as they are. */
export const rawTag = 0

/** What the bytes under a key are: a value, the value of an attribute, or what the shape of a text leaves out. */
export const keyKinds = { plain: 0, attribute: 1, shape: 2 } as const

export interface DictionaryKey {
  readonly tag: number
  readonly isAttribute: boolean
  /** The attribute's key. */
  readonly name: Uint8Array
  /** The pieces of a shape; empty for other keys. */
  readonly pieces: readonly Uint8Array[]
  /** Bytes of all of them. */
  readonly pieceBytes: number
}

const noBytes = new Uint8Array()

function readKey(from: ByteReader): DictionaryKey {
  const tag = from.varint()
  const kind = from.u8()
  const pieces: Uint8Array[] = []
  if (kind === keyKinds.shape) for (let left = from.count(); left > 0; left--) pieces.push(from.block())
  return {
    tag,
    isAttribute: kind === keyKinds.attribute,
    name: kind === keyKinds.attribute ? from.raw(from.end - from.at) : noBytes,
    pieces,
    pieceBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
  }
}

/** The chunks and keys of one segment, ready to be appended to messages. */
export class DictionaryReader {
  /** Keys and chunks, as they are stored. */
  readonly bytes: Uint8Array
  #lowerText: string | undefined
  readonly #entryStarts: Uint32Array
  readonly #entryEnds: Uint32Array
  readonly #keys: DictionaryKey[] = []

  constructor(bytes: Uint8Array) {
    const from = new ByteReader(bytes)
    this.bytes = from.bytes
    const keys = from.count()
    for (let index = 0; index < keys; index++) this.#keys.push(readKey(new ByteReader(from.block())))
    const entries = from.count()
    this.#entryStarts = new Uint32Array(entries)
    this.#entryEnds = new Uint32Array(entries)
    for (let entry = 0; entry < entries; entry++) {
      const size = from.varint()
      this.#entryStarts[entry] = from.at
      from.raw(size)
      this.#entryEnds[entry] = from.at
    }
  }

  get byteLength(): number {
    return this.bytes.length * 2 + this.#entryStarts.length * 8
  }

  /** A flag for each chunk that `holds`: a whole field, tag and length included. */
  chunksWhere(holds: (bytes: Uint8Array, from: number, to: number) => boolean): Uint8Array {
    return Uint8Array.from(this.#entryStarts, (start, entry) =>
      holds(this.bytes, start, this.#entryEnds[entry] as number) ? 1 : 0,
    )
  }

  /** A flag for each key under which such an attribute may stand: tag and, if it is an attribute, key. */
  keysWhere(may: (tag: number, key: Uint8Array | null) => boolean): Uint8Array {
    return Uint8Array.from(this.#keys, ({ tag, isAttribute, name }) =>
      may(tag, isAttribute ? name : null) ? 1 : 0,
    )
  }

  writeEntry(entry: number, out: ByteWriter): void {
    const start = this.#entryStarts[entry]
    const end = this.#entryEnds[entry]
    if (start === undefined || end === undefined) throw corruptSegment('a dictionary entry is out of range')
    out.raw(this.bytes, start, end)
  }

  /** Where in `bytes` a chunk lies: a whole field, tag and length included. */
  placeOf(entry: number): { readonly from: number; readonly to: number } {
    const from = this.#entryStarts[entry]
    const to = this.#entryEnds[entry]
    if (from === undefined || to === undefined) throw corruptSegment('a dictionary entry is out of range')
    return { from, to }
  }

  /** `bytes` in lower case, a character each; kept, because every search looks at all of them. */
  get lowerText(): string {
    this.#lowerText ??= Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
      .toString('latin1')
      .toLowerCase()
    return this.#lowerText
  }

  /** Reads what stands under a key, its lengths from `codes`, and appends the field it is. */
  writeValue(index: number, codes: ByteReader, literals: ByteReader, out: ByteWriter): void {
    const key = this.key(index)
    if (key.pieces.length > 0) writeShaped(key, codes, literals, out)
    else writeField(key, literals.raw(codes.varint()), out)
  }

  /** Passes over the same. */
  skipValue(index: number, codes: ByteReader, literals: ByteReader): void {
    const { pieces } = this.key(index)
    // A shape of one piece leaves nothing out.
    for (let left = pieces.length === 0 ? 1 : pieces.length - 1; left > 0; left--)
      literals.skip(codes.varint())
  }

  key(index: number): DictionaryKey {
    const key = this.#keys[index]
    if (key === undefined) throw corruptSegment('a key is out of range')
    return key
  }
}

function writeField(key: DictionaryKey, value: Uint8Array, out: ByteWriter): void {
  if (key.tag !== rawTag) out.varint(key.tag)
  if (key.isAttribute) {
    out.varint(key.name.length + value.length + 3 + varintBytes(value.length))
    out.u8(0x0a)
    out.block(key.name)
    out.u8(0x12)
    out.block(value)
  } else if ((key.tag & 7) === wireBytes) out.block(value)
  else out.raw(value)
}

/** Lengths of the variables of the text at hand; grows to the largest number of them. */
const sizes: number[] = []

/** A string value (AnyValue.string_value = 1, common.proto) of pieces with variables between them. */
function writeShaped(key: DictionaryKey, codes: ByteReader, literals: ByteReader, out: ByteWriter): void {
  const variables = key.pieces.length - 1
  let size = key.pieceBytes
  for (let at = 0; at < variables; at++) {
    const one = codes.varint()
    sizes[at] = one
    size += one
  }
  out.varint(key.tag)
  out.varint(1 + varintBytes(size) + size)
  out.u8(0x0a)
  out.varint(size)
  out.raw(key.pieces[0] ?? noBytes)
  for (let at = 0; at < variables; at++) {
    const from = literals.at
    literals.skip(sizes[at] as number)
    out.raw(literals.bytes, from, literals.at)
    out.raw(key.pieces[at + 1] ?? noBytes)
  }
}
