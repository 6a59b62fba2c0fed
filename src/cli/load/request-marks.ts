/**
 * Places in a request that are different each time it is sent: ids, times, counters. A request is written once
 * with marks, and filled by copying it and overwriting eight or so bytes at each mark, which costs a hundredth of
 * encoding it again.
 */
import type { SeededRandom } from './seeded-random.ts'

/**
 * - `id`: eight bytes, or sixteen hex digits in JSON; shifted by the mask of the round
 * - `hex`: the same sixteen hex digits as text, in both encodings
 * - `time`: fixed64 nanoseconds, or nineteen digits in JSON; moved by the shift of the round
 * - `counter`: sfixed64, or sixteen digits in JSON; grows with every round
 */
export type MarkKind = 'id' | 'hex' | 'time' | 'counter'

const kinds: readonly MarkKind[] = ['id', 'hex', 'time', 'counter']
const letters: Readonly<Record<MarkKind, string>> = { id: 'i', hex: 'h', time: 't', counter: 'c' }
/** Characters of each mark in JSON; what is overwritten has the same length. */
const lengths: Readonly<Record<MarkKind, number>> = { id: 16, hex: 16, time: 19, counter: 16 }

/** No text of a load holds it. */
const textStart = '~#~'
/** Starts every marked number in protobuf; not ASCII, so that no text holds it. */
const binaryStart = [0xf5, 0xf6, 0xf7] as const

/** The marks of one signal's requests. Values of ids are random, those of times nanoseconds from the round's start. */
export class Marks {
  readonly #kinds: MarkKind[] = []
  readonly #values: bigint[] = []
  readonly #random: SeededRandom

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** A new id, as text for a JSON template; say it again wherever the same id is to stand. */
  id(): string {
    const high = BigInt(this.#random.bits() | 1)
    return this.#add('id', (high << 32n) | BigInt(this.#random.bits()))
  }

  /** The digits of an id as a text of its own. */
  hex(): string {
    return this.#add('hex', (BigInt(this.#random.bits()) << 32n) | BigInt(this.#random.bits()))
  }

  time(offsetNs: bigint): string {
    return this.#add('time', offsetNs)
  }

  /** From 10^15 on, so that it always has sixteen digits. */
  counter(value: number): string {
    return this.#add('counter', 1_000_000_000_000_000n + BigInt(value))
  }

  kindOf(number: number): MarkKind {
    return this.#kinds[number] ?? 'id'
  }

  valueOf(number: number): bigint {
    return this.#values[number] ?? 0n
  }

  #add(kind: MarkKind, value: bigint): string {
    const number = this.#kinds.length
    this.#kinds.push(kind)
    this.#values.push(value)
    const room = lengths[kind] - textStart.length - 1
    return `${textStart}${letters[kind]}${String(number).padStart(room, '0')}`
  }
}

/** Where the marks of one encoded request stand; `number` is the mark's. */
export interface MarkPlace {
  readonly offset: number
  readonly number: number
}

/** Digits of an id stand right behind some marks, so lengths are exact. */
const textMark = new RegExp(
  kinds.map(kind => `${textStart}${letters[kind]}\\d{${lengths[kind] - textStart.length - 1}}`).join('|'),
  'g',
)

/** The same request with marks that survive transcoding to protobuf. */
export function withBinaryMarks(json: string): string {
  return json.replaceAll(textMark, mark => {
    const letter = mark.charAt(textStart.length)
    if (letter === letters.hex) return mark
    const bytes = Buffer.alloc(8)
    bytes.set(binaryStart)
    bytes.writeUIntBE(Number(mark.slice(textStart.length + 1)), 3, 4)
    if (letter === letters.id) return bytes.toString('hex')
    // The eighth byte stays 0: little-endian, it is the sign of an sfixed64.
    return String(bytes.readBigUInt64LE(0))
  })
}

/** All marks of an encoded request, text marks and binary ones. */
export function findMarks(bytes: Buffer): readonly MarkPlace[] {
  const places: MarkPlace[] = []
  for (let at = bytes.indexOf(textStart); at >= 0; at = bytes.indexOf(textStart, at + 1)) {
    const letter = String.fromCharCode(bytes[at + textStart.length] ?? 0)
    const kind = kinds.find(one => letters[one] === letter)
    if (kind === undefined) continue
    const digits = bytes.toString('latin1', at + textStart.length + 1, at + lengths[kind])
    places.push({ offset: at, number: Number(digits) })
  }
  const needle = Buffer.from(binaryStart)
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 8))
    places.push({ offset: at, number: bytes.readUIntBE(at + 3, 4) })
  return places
}
