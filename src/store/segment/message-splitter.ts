/**
 * Takes messages apart, field by field: what columns hold is left out, the rest becomes tokens of the frame at
 * hand, each the number of a dictionary entry or a value of its own.
 */
import { varintBytes } from '../../otlp/wire/byte-writer.ts'
import { type AttributeFilterBuilder, hashKey } from './attribute-filter.ts'
import { ByteWriter } from './bytes.ts'
import { type HeldFields, wireBytes, wireFixed32, wireFixed64, wireVarint } from './held-fields.ts'
import type { PickedRecords, RowMarks } from './picked-records.ts'
import { type Field, RecordDictionary } from './record-dictionary.ts'
import type { ShapedRows } from './shaped-rows.ts'
import type { TextShapes } from './text-shapes.ts'
import { viewOf } from './words.ts'

export class MessageSplitter {
  readonly dictionary: RecordDictionary = new RecordDictionary()
  /** Of log records; null of others. */
  readonly shaped: ShapedRows | null
  readonly #held: HeldFields
  // Kept from frame to frame: allocating buffers for each took a fifth of the time of sealing.
  readonly #codes = new ByteWriter(16_384)
  readonly #numbers = new ByteWriter(1024)
  readonly #literals = new ByteWriter(65_536)
  readonly #frame = new ByteWriter(65_536)
  readonly #field: Field
  readonly #attributes: AttributeFilterBuilder | null
  readonly #attributeTag: number
  /** By number of key; of attributes met so far. */
  readonly #keyHashes: number[] = []
  /** Keys that had a value of their own. */
  readonly #many: boolean[] = []
  /** Chunks of the dictionary so far. */
  #chunks = 0

  /**
   * `shaped` takes the bodies of log records; null for others. `attributes` hears of every attribute of
   * the messages, which are fields of `attributeTag`.
   */
  constructor(
    held: HeldFields,
    shaped: ShapedRows | null,
    attributes: AttributeFilterBuilder | null,
    attributeTag: number,
  ) {
    this.#held = held
    this.shaped = shaped
    this.#attributes = attributes
    this.#attributeTag = attributeTag
    const bytes = new Uint8Array()
    this.#field = { bytes, view: viewOf(bytes), tag: 0, start: 0, from: 0, to: 0, keyFrom: -1, keyTo: -1 }
  }

  /** What was split since the last frame was taken; a view that the next one changes. */
  takeFrame(): Uint8Array {
    const frame = this.#frame
    frame.length = 0
    for (const section of [this.#codes, this.#numbers, this.#literals]) {
      frame.block(section.view())
      section.length = 0
    }
    return frame.view()
  }

  /** Splits the message of the row; returns the bits of the held fields. */
  split(records: PickedRecords, row: number): number {
    records.seek(row)
    const { bytes, to } = records
    const { oneof, tags } = this.#held
    const field = this.#field
    const codes = this.#codes
    const countAt = codes.length
    codes.u8(0)
    field.bytes = bytes
    field.view = records.view
    let held = 0
    let count = 0
    for (let at = records.from; at < to; at = field.to) {
      if (!locate(field, at, to)) {
        this.#literal(this.dictionary.rawKey(), field, at, to)
        if (this.shaped !== null) this.shaped.more[row] = 1
        count++
        break
      }
      const bit = tags[field.tag] === 1 ? this.#held.match(row, field, this.#numbers) : 0
      if (bit !== 0 && (held & bit) === 0) {
        held = (bit & oneof) === 0 ? held | bit : (held & ~oneof) | bit
        continue
      }
      if (this.shaped === null || !this.#addShaped(this.shaped, row, field, records)) this.#addToken(field)
      count++
    }
    this.shaped?.end(row)
    if (count < 128) codes.bytes[countAt] = count
    else this.#insertCount(countAt, count)
    return held
  }

  /** A count of more than the one byte that was left for it. */
  #insertCount(countAt: number, count: number): void {
    const codes = this.#codes
    const tail = codes.bytes.slice(countAt + 1, codes.length)
    codes.length = countAt
    codes.varint(count)
    codes.raw(tail)
  }

  /** Adds a body as its shape and what that leaves out, if it has one, and notes which rows have other text. */
  #addShaped(shaped: ShapedRows, row: number, field: Field, marks: RowMarks): boolean {
    const { bytes, tag, to } = field
    if (tag === bodyTag) {
      const from = stringFrom(bytes, field.from, to)
      const shape = from < 0 || shaped.shape[row] !== -1 ? -1 : shapeOf(shaped, row, marks, field, from)
      if (shape < 0) {
        shaped.more[row] = 1
        return false
      }
      shaped.add(row, shape)
      this.#shapedValue(shaped.shapes, shape, field)
      return true
    }
    if (tag === eventNameTag || (tag === attributesTag && isMaybeException(bytes, field.from)))
      shaped.more[row] = 1
    return false
  }

  #shapedValue(shapes: TextShapes, shape: number, field: Field): void {
    const codes = this.#codes
    codes.varint(this.dictionary.shapeKey(shapes, shape) * 2 + 1)
    for (let at = 0; at < shapes.variables; at++) {
      const from = shapes.from[at] as number
      const to = shapes.to[at] as number
      codes.varint(to - from)
      this.#literals.words(field.view, from, to)
    }
  }

  #addToken(field: Field): void {
    const { bytes, from, to } = field
    const keyLength = (field.tag & 7) === wireBytes ? attributeKeyLength(bytes, from, to) : -1
    field.keyFrom = keyLength < 0 ? -1 : from + 2
    field.keyTo = field.keyFrom + keyLength
    const entry = this.dictionary.entryOf(field)
    const valueFrom = keyLength < 0 ? from : to - payloadOf(to - field.keyTo - 1)
    const known = entry >= 0 && entry < this.#chunks
    if (entry >= 0) {
      this.#codes.varint(entry * 2)
      if (!known) this.#chunks = entry + 1
    } else this.#literal(this.dictionary.key, field, valueFrom, to)
    if (!known && field.tag === this.#attributeTag) this.#noteAttribute(field, valueFrom, entry >= 0)
  }

  /** An attribute that no message had so far, or that is not looked up. */
  #noteAttribute(field: Field, valueFrom: number, listed: boolean): void {
    const attributes = this.#attributes
    if (attributes === null) return
    const { view, keyFrom, keyTo, to } = field
    if (keyFrom < 0) {
      attributes.addUnusual(field.bytes, field.from, to)
      return
    }
    const { key } = this.dictionary
    let hash = this.#keyHashes[key]
    if (hash === undefined) {
      hash = hashKey(view, keyFrom, keyTo)
      this.#keyHashes[key] = hash
    }
    if (listed) attributes.addListed(hash, view, valueFrom, to)
    else {
      attributes.addValue(hash, view, valueFrom, to)
      if (this.#many[key] === true) return
      this.#many[key] = true
      attributes.addMany(hash)
    }
  }

  #literal(key: number, field: Field, from: number, to: number): void {
    this.#codes.varint(key * 2 + 1)
    this.#codes.varint(to - from)
    if (to - from < maxWordCopy) this.#literals.words(field.view, from, to)
    else this.#literals.raw(field.bytes, from, to)
  }
}

/** Shape of the text of a body that begins at `from`. */
function shapeOf(
  { shapes, more }: ShapedRows,
  row: number,
  marks: RowMarks,
  field: Field,
  from: number,
): number {
  const { bytes, view, to } = field
  // Marks are of the first body of a message, and where there is a second one the first had no shape.
  return marks.shape === 0 || more[row] === 1
    ? shapes.find(bytes, view, from, to)
    : shapes.findMarked(marks, bytes, view, from, to)
}

/** LogRecord.body, attributes and event_name (logs.proto). */
const bodyTag = 0x2a
const attributesTag = 0x32
const eventNameTag = 0x62

/** Whether a KeyValue is of a key that starts like `exception.type`, or of a form that does not say. */
function isMaybeException(bytes: Uint8Array, from: number): boolean {
  return bytes[from] !== 0x0a || bytes[from + 2] === 0x65
}

/** Where the text of an AnyValue that is a string and nothing else begins, its length in the shortest form; else -1. */
function stringFrom(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 2 || bytes[from] !== 0x0a) return -1
  const size = bytes[from + 1] as number
  if (size < 128) return from + 2 + size === to ? from + 2 : -1
  const long = size - 128 + (bytes[from + 2] as number) * 128
  return long >= 128 && long < 16_384 && from + 3 + long === to ? from + 3 : -1
}

/** From here on one native copy beats word after word. */
const maxWordCopy = 128

/** Finds tag and value of the field that starts at `at`; false where there is no well-formed one. */
function locate(field: Field, at: number, end: number): boolean {
  const { bytes } = field
  const tag = bytes[at] as number
  field.start = at
  if (tag > 127 || tag < 8) return locateUnusual(field, at, end)
  field.tag = tag
  let from = at + 1
  let to = from
  switch (tag & 7) {
    case wireBytes: {
      const size = bytes[from] as number
      if (from >= end || size > 127) return locateUnusual(field, at, end)
      to = ++from + size
      break
    }
    case wireVarint:
      while (to < end && (bytes[to] as number) > 127) to++
      to++
      break
    case wireFixed64:
      to += 8
      break
    case wireFixed32:
      to += 4
      break
    default:
      return false
  }
  field.from = from
  field.to = to
  return to <= end
}

/** The same for tags and lengths of more than one byte. */
function locateUnusual(field: Field, at: number, end: number): boolean {
  const { bytes } = field
  const tag = varintAt(bytes, at, end)
  if (tag < 8) return false
  let from = varintEnd
  let to = from
  switch (tag & 7) {
    case wireBytes: {
      const size = varintAt(bytes, from, end)
      if (size < 0) return false
      from = varintEnd
      to = from + size
      break
    }
    case wireVarint:
      while (to < end && (bytes[to] as number) > 127) to++
      to++
      break
    case wireFixed64:
      to += 8
      break
    case wireFixed32:
      to += 4
      break
    default:
      return false
  }
  field.tag = tag
  field.from = from
  field.to = to
  return to <= end
}

/** Behind the varint read last. */
let varintEnd = 0

/** A varint below 2^32, or -1 where there is none. */
function varintAt(bytes: Uint8Array, from: number, end: number): number {
  let value = 0
  let scale = 1
  for (let at = from; at < end && at < from + 5; at++) {
    const byte = bytes[at] as number
    value += (byte & 127) * scale
    if (byte < 128) {
      varintEnd = at + 1
      return value <= 0xffffffff ? value : -1
    }
    scale *= 128
  }
  return -1
}

/**
 * Length of the key if the value is a KeyValue in its usual form (`0a` key `12` value, nothing else, lengths
 * in their shortest form), so that it can be put together again byte for byte; else -1.
 */
function attributeKeyLength(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 4 || bytes[from] !== 0x0a) return -1
  const keyLength = bytes[from + 1] as number
  const at = from + 2 + keyLength
  if (keyLength > 127 || at + 2 > to || bytes[at] !== 0x12) return -1
  const one = bytes[at + 1] as number
  if (one < 128 && one === to - at - 2) return keyLength
  const payload = payloadOf(to - at - 1)
  // The length in front of the value has to be the one that `payload` bytes need.
  let size = 0
  let scale = 1
  for (let index = at + 1; index < to - payload; index++) {
    const byte = bytes[index] as number
    const last = index === to - payload - 1
    if (byte > 127 === last) return -1
    size += (byte & 127) * scale
    scale *= 128
  }
  return size === payload && varintBytes(size) === to - payload - at - 1 ? keyLength : -1
}

/** How many of `size` bytes, a length and what it counts, are the latter. */
function payloadOf(size: number): number {
  if (size <= 128) return size - 1
  if (size <= 16385) return size - 2
  if (size <= 2097154) return size - 3
  return size - 4
}
