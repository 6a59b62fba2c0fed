/**
 * Which rows of a log segment may have words that are searched for, so that the messages of others need not be put
 * together. Dictionary and frames are searched as bytes for what the words begin with, and rows told from their codes.
 *
 * Nothing is missed: whatever is plain ASCII holds its words as they are, a shape never cuts through a word, and what
 * is neither is read as in the message. A beginning amid a word only has its row looked at in vain.
 */
import type { LogBlock } from '../../model/telemetry.ts'
import { RecordWords } from '../search/record-words.ts'
import type { TermMatcher } from '../search/term-matcher.ts'
import type { DecodedColumns } from './block-codec.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { type DictionaryKey, type DictionaryReader, rawTag } from './dictionary-reader.ts'
import { rowsPerFrame } from './record-frames.ts'

/** A bit for each word, in their order. */
export type WordMask = number

const everyWord: WordMask = -1

/** LogRecord.body, attributes, event_name (logs.proto): no other field has text. */
const textTags = new Set([0x2a, 0x32, 0x62])

/** Of attributes those of exceptions, whose keys begin with an e. */
function mayHaveText({ tag, isAttribute, name }: DictionaryKey): boolean {
  return textTags.has(tag) && (!isAttribute || name[0] === 0x65)
}

/** Of one dictionary: where words may begin in it, and what is known of its chunks and keys so far. */
interface KnownMasks {
  readonly starts: WordStarts
  readonly chunks: Map<number, WordMask>
  /** Of the pieces of shapes. */
  readonly shapes: Map<number, WordMask>
}

interface Frame {
  readonly dictionary: DictionaryReader
  readonly known: KnownMasks
  readonly codes: ByteReader
  readonly literals: ByteReader
  readonly starts: WordStarts
}

/** Serves one search: what it remembers of dictionaries goes with it. */
export class WordRows {
  readonly #words: RecordWords
  readonly #beginnings: readonly string[]
  /** Numbers are text as well, which is not in the bytes as it is read. */
  readonly #hasNumbers: boolean
  readonly #known = new WeakMap<DictionaryReader, KnownMasks>()
  readonly #field = new ByteWriter(256)

  /** At most 32 words. */
  constructor(matchers: readonly TermMatcher[]) {
    const words = matchers.map(one => ({ word: one.term, finds: (token: string) => one.matches(token) }))
    this.#words = new RecordWords(words, false)
    this.#beginnings = matchers.map(one => one.commonPrefix)
    this.#hasNumbers = this.#beginnings.some(text => text <= '9')
  }

  /** Words by row of the columns; of rows in other frames than these, none. */
  masks(
    columns: DecodedColumns,
    dictionary: DictionaryReader,
    frames: ReadonlyMap<number, Uint8Array>,
  ): Int32Array {
    const { block, firstRow } = columns
    const masks = new Int32Array(block.count)
    const size = rowsPerFrame(block.signal)
    const known = this.#knownOf(dictionary)
    for (const [number, content] of frames) {
      const start = number * size - firstRow
      const sections = new ByteReader(content)
      const codes = new ByteReader(sections.block())
      sections.block()
      const literals = new ByteReader(sections.block())
      const starts = new WordStarts(lowerText(literals.bytes), this.#beginnings)
      this.#readFrame({ dictionary, known, codes, literals, starts }, masks.subarray(start, start + size))
    }
    if (block.signal === 'logs') this.#addEventNames(block, masks)
    return masks
  }

  #knownOf(dictionary: DictionaryReader): KnownMasks {
    let known = this.#known.get(dictionary)
    if (known === undefined) {
      const starts = new WordStarts(dictionary.lowerText, this.#beginnings)
      known = { starts, chunks: new Map(), shapes: new Map() }
      this.#known.set(dictionary, known)
    }
    return known
  }

  #readFrame(frame: Frame, masks: Int32Array): void {
    const { codes, known } = frame
    for (let row = 0; row < masks.length; row++) {
      let mask: WordMask = 0
      for (let left = codes.varint(); left > 0; left--) {
        const code = codes.varint()
        if (code % 2 === 1) mask |= this.#value((code - 1) / 2, frame)
        else mask |= known.chunks.get(code / 2) ?? this.#chunk(code / 2, frame)
      }
      masks[row] = mask
    }
  }

  #chunk(entry: number, { dictionary, known }: Frame): WordMask {
    const { from, to } = dictionary.placeOf(entry)
    const bytes = dictionary.bytes.subarray(from, to)
    let mask: WordMask = 0
    if (textTags.has(bytes[0] as number) && this.#isToBeRead(bytes, known.starts.within(from, to))) {
      this.#words.read(bytes)
      mask = this.#words.seen
    }
    known.chunks.set(entry, mask)
    return mask
  }

  #isToBeRead(bytes: Uint8Array, starts: WordMask): boolean {
    return starts !== 0 || this.#hasNumbers || !isAscii(bytes)
  }

  #value(index: number, frame: Frame): WordMask {
    const { dictionary, known, codes, literals, starts } = frame
    const key = dictionary.key(index)
    const { pieces } = key
    if (pieces.length === 0) {
      if (mayHaveText(key)) return this.#plain(index, frame)
      dictionary.skipValue(index, codes, literals)
      return key.tag === rawTag ? everyWord : 0
    }
    const from = literals.at
    dictionary.skipValue(index, codes, literals)
    return (known.shapes.get(index) ?? shapeMask(index, key, frame)) | starts.next(from, literals.at)
  }

  /** Where it may have words, put together as it stands in the message, whose walk knows where text is. */
  #plain(index: number, { dictionary, codes, literals, starts }: Frame): WordMask {
    const from = literals.at
    this.#field.length = 0
    dictionary.writeValue(index, codes, literals, this.#field)
    const value = literals.bytes.subarray(from, literals.at)
    if (!this.#isToBeRead(value, starts.next(from, literals.at))) return 0
    this.#words.read(this.#field.view())
    return this.#words.seen
  }

  /** They are held by columns. */
  #addEventNames({ eventName, strings }: LogBlock, masks: Int32Array): void {
    const known = new Map<number, WordMask>()
    for (let row = 0; row < masks.length; row++) {
      const text = eventName[row] as number
      let mask = known.get(text)
      if (mask === undefined) {
        mask = this.#words.inText(Buffer.from(strings[text] ?? '', 'utf8'))
        known.set(text, mask)
      }
      masks[row] = (masks[row] as number) | mask
    }
  }
}

function shapeMask(index: number, { pieces }: DictionaryKey, { dictionary, known }: Frame): WordMask {
  let mask: WordMask = 0
  for (const piece of known.starts.isEmpty ? [] : pieces) {
    const from = piece.byteOffset - dictionary.bytes.byteOffset
    mask |= known.starts.within(from, from + piece.length)
  }
  known.shapes.set(index, mask)
  return mask
}

/** Bytes as text in lower case, a character each. */
function lowerText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').toLowerCase()
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] as number) > 127) return false
  return true
}

/** Where in a text words may begin, ascending. */
class WordStarts {
  readonly #at: number[] = []
  readonly #masks: WordMask[] = []
  #next = 0

  /** `text` is in lower case. */
  constructor(text: string, beginnings: readonly string[]) {
    const found: { readonly at: number; readonly mask: WordMask }[] = []
    for (const [bit, beginning] of beginnings.entries()) {
      // Half a character, then nothing: what begins so is not ASCII, and read as in the message.
      if (beginning === '') continue
      for (let at = text.indexOf(beginning); at >= 0; at = text.indexOf(beginning, at + 1))
        found.push({ at, mask: 1 << bit })
    }
    if (beginnings.length > 1) found.sort((a, b) => a.at - b.at)
    for (const { at, mask } of found) {
      this.#at.push(at)
      this.#masks.push(mask)
    }
  }

  get isEmpty(): boolean {
    return this.#at.length === 0
  }

  /** Words that may begin in [from, to). */
  within(from: number, to: number): WordMask {
    let low = 0
    let high = this.#at.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#at[middle] as number) < from) low = middle + 1
      else high = middle
    }
    this.#next = low
    return this.next(from, to)
  }

  /** The same, for stretches asked for in their order. */
  next(from: number, to: number): WordMask {
    const at = this.#at
    while (this.#next < at.length && (at[this.#next] as number) < from) this.#next++
    let mask: WordMask = 0
    while (this.#next < at.length && (at[this.#next] as number) < to)
      mask |= this.#masks[this.#next++] as number
    return mask
  }
}
