/**
 * Which `key=value` a segment may hold, so that one that is rare or nowhere costs no read of what does not have it.
 *
 * Values that repeat are few and stand in a filter that is kept for all segments; values that hardly repeat (ids)
 * are many and stand in a second one, which is read only where the first says that the key has such values.
 * Strings are compared without regard to case. Of values that are no string, number or truth value only the key is
 * known.
 */
import { keyValueAt } from '../../otlp/any-value.ts'
import { attributesOfResource } from '../../otlp/attributes.ts'
import { textAt } from '../../otlp/wire/utf8-text.ts'
import { BloomFilter, writeBloomFilter } from './bloom-filter.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { HashList } from './hash-list.ts'
import { viewOf } from './words.ts'

/** Tags of AnyValue's members; they tell values of one text and different types apart. */
const kinds = { string: 0x0a, bool: 0x10, int: 0x18, double: 0x21 } as const
/** Instead of a value: some of the key's are not told; they stand in the second filter. */
const markers = { untold: 1, many: 2 } as const

/** Makes letters of one form; other characters may fall together, which costs a read and no answer. */
const foldedCase = 0x20202020

/** Values that hardly repeat at most; what is beyond makes their keys untold. 80 kB. */
const maxValues = 65_536

const empty = viewOf(new Uint8Array())

/** A power of two: values met of late, so that what repeats now and then counts once. */
const recentSize = 4096

export class AttributeFilterBuilder {
  readonly #listed = new Set<number>()
  readonly #values = new HashList()
  readonly #recent = new Int32Array(recentSize)

  /** An attribute of usual form whose value, an AnyValue, may come again; `keyHash` is of `hashKey`. */
  addListed(keyHash: number, view: DataView, from: number, to: number): void {
    this.#listed.add(pairHash(keyHash, view, from, to))
  }

  /** One whose value hardly comes again. */
  addValue(keyHash: number, view: DataView, from: number, to: number): void {
    const hash = pairHash(keyHash, view, from, to)
    const slot = hash & (recentSize - 1)
    if (this.#recent[slot] === hash && hash !== 0) return
    this.#recent[slot] = hash
    if (this.#values.length >= maxValues) this.#listed.add(markerHash(keyHash, markers.untold))
    else this.#values.add(hash)
  }

  /** The key has values of `addValue`. */
  addMany(keyHash: number): void {
    this.#listed.add(markerHash(keyHash, markers.many))
  }

  /** A KeyValue of unusual form. */
  addUnusual(bytes: Uint8Array, from: number, to: number): void {
    const { key } = keyValueAt(bytes, from, to)
    this.#listed.add(markerHash(hashKey(textView(key)), markers.untold))
  }

  /** A Resource message, which does not change any more. */
  addResource(message: Uint8Array): void {
    const known = resourceHashes.get(message)
    const hashes = known ?? hashesOfResource(message)
    if (known === undefined) resourceHashes.set(message, hashes)
    for (const hash of hashes) this.#listed.add(hash)
  }

  writeListed(out: ByteWriter): void {
    const hashes = new HashList()
    for (const hash of this.#listed) hashes.add(hash)
    writeBloomFilter(out, hashes)
  }

  writeValues(out: ByteWriter): void {
    writeBloomFilter(out, this.#values)
  }
}

/** The same resources come with every segment: of a thousand, this was a sixth of the time of making one. */
const resourceHashes = new WeakMap<Uint8Array, Int32Array>()

function hashesOfResource(message: Uint8Array): Int32Array {
  return Int32Array.from(attributesOfResource(message), ({ key, value }) => {
    const keyHash = hashKey(textView(key))
    return typeof value === 'string' ? textHash(keyHash, value) : markerHash(keyHash, markers.untold)
  })
}

/** What is looked for, and how either filter knows it. */
export class AttributeProbe {
  readonly key: string
  readonly value: string
  readonly #untold: number
  readonly #many: number
  readonly #pairs: readonly number[]

  constructor(key: string, value: string) {
    this.key = key
    this.value = value
    const keyHash = hashKey(textView(key))
    this.#untold = markerHash(keyHash, markers.untold)
    this.#many = markerHash(keyHash, markers.many)
    this.#pairs = pairHashes(keyHash, value.toLowerCase())
  }

  /** By the first filter: no, maybe, or only if the second one says so too. */
  inListed(filter: BloomFilter): 'no' | 'maybe' | 'ask values' {
    if (this.inValues(filter) || filter.mayHold(this.#untold)) return 'maybe'
    return filter.mayHold(this.#many) ? 'ask values' : 'no'
  }

  inValues(filter: BloomFilter): boolean {
    return this.#pairs.some(hash => filter.mayHold(hash))
  }
}

export function readAttributeFilter(content: Uint8Array): BloomFilter {
  return new BloomFilter(new ByteReader(content))
}

export function hashKey(view: DataView, from = 0, to: number = view.byteLength): number {
  return hashRange(0x811c9dc5, view, from, to, 0)
}

function textView(text: string): DataView {
  return viewOf(Buffer.from(text, 'utf8'))
}

/** What a value of this text, in lower case, may have been sent as. */
function pairHashes(keyHash: number, text: string): readonly number[] {
  const hashes = [textHash(keyHash, text)]
  const add = (kind: number, write: (out: ByteWriter) => void): void => {
    const out = new ByteWriter(16)
    write(out)
    hashes.push(finished(hashRange(keyHash ^ kind, out.data, 0, out.length, 0)))
  }
  if (text === 'true' || text === 'false') add(kinds.bool, out => out.u8(text === 'true' ? 1 : 0))
  if (/^(0|-?[1-9][0-9]{0,18})$/.test(text)) {
    let rest = BigInt.asUintN(64, BigInt(text))
    add(kinds.int, out => {
      for (; rest > 127n; rest >>= 7n) out.u8(Number(rest & 127n) | 128)
      out.u8(Number(rest))
    })
  }
  const number = Number(text)
  if (text !== '' && String(number) === text)
    for (const one of number === 0 ? [0, -0] : [number])
      add(kinds.double, out => {
        out.reserve(8)
        out.data.setFloat64(0, one, true)
        out.length = 8
      })
  return hashes
}

function textHash(keyHash: number, text: string): number {
  const view = textView(text.toLowerCase())
  return finished(hashRange(keyHash ^ kinds.string, view, 0, view.byteLength, foldedCase))
}

function markerHash(keyHash: number, marker: number): number {
  return finished(hashRange(keyHash ^ marker, empty, 0, 0, 0))
}

/** Of an attribute's AnyValue; where that cannot be told, that the key has such a value. */
function pairHash(keyHash: number, view: DataView, from: number, to: number): number {
  if (to === from) return finished(hashRange(keyHash ^ kinds.string, empty, 0, 0, foldedCase))
  const kind = view.getUint8(from)
  const at = from + 1
  if (kind === kinds.string) {
    const start = contentStart(view, at, to)
    if (start >= 0) return stringHash(keyHash, view, start, to)
  } else if (kind === kinds.int ? isShortestVarint(view, at, to) : kind === kinds.bool && isBit(view, at, to))
    return finished(hashRange(keyHash ^ kind, view, at, to, 0))
  else if (kind === kinds.double && to - at === 8 && Number.isFinite(view.getFloat64(at, true)))
    return finished(hashRange(keyHash ^ kind, view, at, to, 0))
  return markerHash(keyHash, markers.untold)
}

function stringHash(keyHash: number, view: DataView, from: number, to: number): number {
  const hash = finished(hashRange(keyHash ^ kinds.string, view, from, to, foldedCase))
  if (!beyondAscii) return hash
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return textHash(keyHash, textAt(bytes, from, to))
}

/** Where the content of a length-delimited field starts that ends with its message; -1 if it does not. */
function contentStart(view: DataView, at: number, to: number): number {
  let size = 0
  let scale = 1
  for (let next = at; next < to && next < at + 4; next++) {
    const byte = view.getUint8(next)
    size += (byte & 127) * scale
    scale *= 128
    if (byte < 128) return size === to - next - 1 ? next + 1 : -1
  }
  return -1
}

/** One varint that is the whole rest and has no zeros in front. */
function isShortestVarint(view: DataView, at: number, to: number): boolean {
  for (let next = at; next < to - 1; next++) if (view.getUint8(next) < 128) return false
  const last = to > at ? view.getUint8(to - 1) : 255
  return last < 128 && (last > 0 || to - at === 1) && to - at <= 10
}

function isBit(view: DataView, at: number, to: number): boolean {
  return to - at === 1 && view.getUint8(at) < 2
}

/** Whether the range hashed last had a byte above 127. */
let beyondAscii = false

function hashRange(seed: number, view: DataView, from: number, to: number, fold: number): number {
  let hash = Math.imul(seed ^ (to - from), 0x9e3779b1)
  let any = 0
  let at = from
  for (; at + 4 <= to; at += 4) {
    const word = view.getInt32(at, true)
    any |= word
    hash = mix(hash ^ (word | fold))
  }
  for (; at < to; at++) {
    const byte = view.getUint8(at)
    any |= byte
    hash = mix(hash ^ (byte | (fold & 0xff)))
  }
  beyondAscii = (any & 0x80808080) !== 0
  return hash
}

function mix(value: number): number {
  const mixed = Math.imul(value, 0x85ebca6b)
  return mixed ^ (mixed >>> 13)
}

function finished(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  return mixed ^ (mixed >>> 15)
}
