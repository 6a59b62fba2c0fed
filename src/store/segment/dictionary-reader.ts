/** The dictionary of one segment as frames refer to it; `RecordDictionary` writes it. */
import { varintBytes } from '../../otlp/wire/byte-writer.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'
import { wireBytes } from './held-fields.ts'

/** Tag of a key that stands for a rest that is no well-formed field: the bytes of the message as they are. */
export const rawTag = 0

/** The chunks and keys of one segment, ready to be appended to messages. */
export class DictionaryReader {
  readonly #bytes: Uint8Array
  readonly #entryStarts: Uint32Array
  readonly #entryEnds: Uint32Array
  readonly #keys: { readonly tag: number; readonly isAttribute: boolean; readonly key: Uint8Array }[] = []

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    const from = new ByteReader(bytes)
    const keys = from.count()
    for (let index = 0; index < keys; index++) {
      const key = new ByteReader(from.block())
      const tag = key.varint()
      const isAttribute = key.u8() === 1
      this.#keys.push({ tag, isAttribute, key: key.raw(key.end - key.at) })
    }
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
    return this.#bytes.length + this.#entryStarts.length * 8
  }

  writeEntry(entry: number, out: ByteWriter): void {
    const start = this.#entryStarts[entry]
    const end = this.#entryEnds[entry]
    if (start === undefined || end === undefined) throw corruptSegment('a dictionary entry is out of range')
    out.raw(this.#bytes, start, end)
  }

  writeLiteral(index: number, value: Uint8Array, out: ByteWriter): void {
    const key = this.#keys[index]
    if (key === undefined) throw corruptSegment('a key is out of range')
    if (key.tag !== rawTag) out.varint(key.tag)
    if (key.isAttribute) {
      out.varint(key.key.length + value.length + 3 + varintBytes(value.length))
      out.u8(0x0a)
      out.block(key.key)
      out.u8(0x12)
      out.block(value)
    } else if ((key.tag & 7) === wireBytes) out.block(value)
    else out.raw(value)
  }
}
