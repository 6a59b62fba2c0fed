/**
 * Gives the texts and entries of a batch their numbers. What was seen in earlier batches is found by its
 * bytes and not decoded again; numbers depend on the batch alone.
 */
import { ByteTable, type ByteTableLimits } from './byte-table.ts'
import { viewOf } from './byte-view.ts'
import { textAt } from './utf8-text.ts'

/** Enough for the names of a few thousand operations; about 1.5 MB a thread with keys and slots. */
const textLimits: ByteTableLimits = { entries: 16_384, arenaBytes: 1_048_576 }

/** What `intern` makes of bytes it has not met. Must not keep a view of them. */
export type Make<T> = (bytes: Uint8Array, from: number, to: number) => T

/** Values made from bytes, remembered across batches within `limits`. */
export class ValueCache<T> {
  readonly #table: ByteTable
  readonly #values: T[] = []
  readonly #make: Make<T>

  constructor(limits: ByteTableLimits, make: Make<T>) {
    this.#table = new ByteTable(limits)
    this.#make = make
  }

  get(bytes: Uint8Array, from: number, to: number): T {
    const entry = this.#table.find(bytes, from, to)
    const known = entry < 0 ? undefined : this.#values[entry]
    if (known !== undefined) return known
    const value = this.#make(bytes, from, to)
    const added = this.#table.add(bytes, from, to)
    if (added >= 0) this.#values[added] = value
    return value
  }

  /** To be called between batches. */
  trim(): void {
    if (!this.#table.crowded) return
    this.#table.clear()
    this.#values.length = 0
  }
}

/** Number by distinct value of one batch, in order of first appearance. */
export class BatchList<T> {
  readonly values: T[] = []
  readonly #numbers = new Map<T, number>()

  numberOf(value: T): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    this.#numbers.set(value, this.values.length)
    this.values.push(value)
    return this.values.length - 1
  }
}

/** How a `TextInterner` turns bytes into text. */
export interface TextSource {
  readonly limits: ByteTableLimits
  readonly make: Make<string>
  /** Different bytes may mean the same text, so that texts must be compared as well. */
  readonly ambiguous: boolean
}

/** UTF-8 texts, remembered within the limits. */
export function utf8Source(limits: ByteTableLimits = textLimits): TextSource {
  return { limits, make: textAt, ambiguous: false }
}

const encoder = new TextEncoder()

/** Texts of the batch at hand. One per thread and decoder: `begin` ends the batch before. */
export class TextInterner {
  readonly #source: TextSource
  readonly #table: ByteTable
  /** Text by entry, and in which batch it was last numbered, and how. */
  readonly #texts: string[] = []
  readonly #batches: Uint32Array
  readonly #numbers: Uint32Array
  /** Entry that stands for the text of an entry, and by text: the first one, of an ambiguous source. */
  readonly #first: Uint32Array
  #firstOf = new Map<string, number>()
  #batch = 0
  #strings: string[] = ['']
  /** Numbers of texts the table has no room for. */
  #byText = new Map<string, number>()
  /** Entry of the text numbered last, -1 if the table has no room for it. */
  entry = -1

  /** What the source's `make` throws is passed on. */
  constructor(source: TextSource = utf8Source()) {
    this.#source = source
    this.#table = new ByteTable(source.limits)
    this.#batches = new Uint32Array(source.limits.entries)
    this.#numbers = new Uint32Array(source.limits.entries)
    this.#first = new Uint32Array(source.ambiguous ? source.limits.entries : 0)
  }

  /** Whether the next batch would begin with `clear`. */
  get crowded(): boolean {
    return this.#table.crowded || this.#batch === 0xffffffff
  }

  /** Forgets all entries. Only between batches. */
  clear(): void {
    this.#table.clear()
    this.#batches.fill(0)
    this.#batch = 0
    this.#firstOf = new Map()
  }

  /** Starts a batch; text 0 is the empty string. */
  begin(): void {
    if (this.crowded) this.clear()
    this.#batch++
    this.#strings = ['']
    if (this.#byText.size > 0) this.#byText = new Map()
  }

  /** The texts of this batch, by number. */
  get strings(): readonly string[] {
    return this.#strings
  }

  /** Number of the text `bytes[from, to)`; `view` is one of `bytes`. */
  number(bytes: Uint8Array, from: number, to: number, view: DataView = viewOf(bytes)): number {
    this.entry = -1
    if (from >= to) return 0
    let entry = this.#table.find(bytes, from, to, view)
    if (entry < 0) {
      const text = this.#source.make(bytes, from, to)
      entry = this.#table.add(bytes, from, to)
      if (entry < 0) return this.#numberByText(text)
      this.#texts[entry] = text
      if (this.#source.ambiguous) this.#first[entry] = this.#enter(text, entry)
    }
    this.entry = this.#source.ambiguous ? (this.#first[entry] ?? 0) : entry
    return this.numberOfEntry(this.entry)
  }

  /** Number of a text by what `entry` was after it had been numbered, in this batch or an earlier one. */
  numberOfEntry(entry: number): number {
    if (this.#batches[entry] === this.#batch) return this.#numbers[entry] ?? 0
    const text = this.#texts[entry] ?? ''
    const known = this.#byText.size === 0 ? undefined : this.#byText.get(text)
    const number = text === '' ? 0 : (known ?? this.#strings.push(text) - 1)
    this.#batches[entry] = this.#batch
    this.#numbers[entry] = number
    return number
  }

  /** Number of a text made elsewhere. */
  numberOfText(text: string): number {
    const bytes = encoder.encode(text)
    return this.number(bytes, 0, bytes.length)
  }

  /** The entry that stands for the text: this one, if it is the first. */
  #enter(text: string, entry: number): number {
    const first = this.#firstOf.get(text) ?? entry
    this.#firstOf.set(text, first)
    return first
  }

  #numberByText(text: string): number {
    const first = this.#firstOf.get(text)
    if (first !== undefined) return this.numberOfEntry(first)
    const known = this.#byText.get(text)
    if (known !== undefined) return known
    const number = text === '' ? 0 : this.#strings.push(text) - 1
    this.#byText.set(text, number)
    return number
  }
}
