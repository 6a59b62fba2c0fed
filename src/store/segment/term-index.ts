/**
 * The words of a log segment: its distinct folded tokens, sorted and front-coded with a whole token every
 * `restartEvery`, each with the frames of rows it occurs in, cut into blocks that are read one by one. A word, a
 * prefix or a stem is found by binary search over the whole ones, and only the frames named have to be unpacked.
 */

import { eachToken, maxTokenLength } from '../search/fold-text.ts'
import { eachTextRange, type TextSink } from '../search/log-text.ts'
import type { TermMatcher } from '../search/term-matcher.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'
import type { PickedRecords } from './picked-records.ts'
import { PrefixFilterBuilder } from './prefix-filter.ts'
import type { ShapedRows } from './shaped-rows.ts'
import type { TextShapes } from './text-shapes.ts'
import { TokenTable } from './token-table.ts'
import { viewOf } from './words.ts'

/** Sixteen: a look-up decodes at most fifteen neighbours, and the whole tokens cost 6 % of the dictionary. */
const restartEvery = 16

/**
 * A block ends with the group of words that takes it here: 16 kB unpack in twenty microseconds, and smaller ones
 * compress worse.
 */
const blockBytes = 16_384

/** Bytes of a token: four for each UTF-16 unit at the very most. */
const maxTokenBytes = maxTokenLength * 4

/** Gathers tokens row by row; rows come in order, `frame` counts up. */
export class TermIndexBuilder {
  readonly #table = new TokenTable()
  readonly #prefixes = new PrefixFilterBuilder()
  readonly #block = new TermBlockWriter()
  #shaped: ShapedRows | null = null
  /** Tokens of the pieces of each shape met so far. */
  #shapeTokens: Uint32Array[] = []
  /** The frame in which a shape was met last. */
  #shapeFrames = new Int32Array(0)
  #frame = 0
  #record: Uint8Array = new Uint8Array()
  #view: DataView = viewOf(this.#record)
  readonly #addToken = (token: string): void => {
    const bytes = Buffer.from(token, 'utf8')
    this.#table.add(bytes, 0, bytes.length, this.#frame)
  }
  readonly #addRun = (from: number, to: number): void => {
    this.#table.addFolded(this.#view, from, to, this.#frame)
  }
  readonly #sink: TextSink = {
    range: (from, to) => this.#addRange(from, to),
    text: value => eachToken(value, this.#addToken),
  }

  /** Forgets the rows of another segment; what `finish` gave of it must not be looked at any more. */
  begin(shaped: ShapedRows): void {
    this.#table.clear()
    this.#prefixes.clear()
    this.#shaped = shaped
    this.#shapeTokens = []
    this.#shapeFrames = new Int32Array(shaped.shapes.count).fill(-1)
  }

  /** Adds the words of a row, to whose message `records` has been sought. */
  addRow(frame: number, row: number, records: PickedRecords): void {
    const shaped = this.#shaped
    if (shaped === null) return
    this.#frame = frame
    const shape = shaped.shape[row] as number
    if (shape >= 0) this.#addShaped(shaped, shape, row, records.view)
    if (shaped.more[row] === 0) return
    this.#record = records.bytes.subarray(records.from, records.to)
    this.#view = viewOf(this.#record)
    eachTextRange(this.#record, this.#sink)
  }

  /** The words of a shape count once a frame; what it leaves out are words of their own. */
  #addShaped({ from, to, first, shapes }: ShapedRows, shape: number, row: number, view: DataView): void {
    const table = this.#table
    const frame = this.#frame
    if (this.#shapeFrames[shape] !== frame) {
      this.#shapeFrames[shape] = frame
      const tokens = this.#shapeTokens[shape] ?? this.#tokensOf(shapes, shape)
      for (let at = 0; at < tokens.length; at++) table.meet(tokens[at] as number, frame)
    }
    const end = first[row + 1] as number
    for (let at = first[row] as number; at < end; at++)
      table.addFolded(view, from[at] as number, to[at] as number, frame)
  }

  #tokensOf(shapes: TextShapes, shape: number): Uint32Array {
    const tokens: number[] = []
    shapes.eachPiece(shape, (bytes, from, to) => {
      const view = viewOf(bytes)
      eachRun(bytes, from, to, (start, end) => {
        tokens.push(this.#table.addFolded(view, start, end, this.#frame))
      })
    })
    const distinct = Uint32Array.from(new Set(tokens))
    this.#shapeTokens[shape] = distinct
    return distinct
  }

  /** The blocks, what they begin with, and a filter over what their words begin with. */
  finish(frameCount: number): TermParts {
    const table = this.#table
    const order = table.sorted()
    const { starts, frames } = table.postings()
    const prefixes = this.#prefixes
    const block = this.#block
    block.begin(frameCount)
    const blocks: Uint8Array[] = []
    const firsts = new ByteWriter(1024)
    let last = -1
    for (let index = 0; index < order.length; index++) {
      const token = order[index] as number
      if (block.isGroupEnd && block.byteLength >= blockBytes) blocks.push(block.take())
      if (block.count === 0)
        firsts.block(table.bytes.subarray(table.startOf(token), table.startOf(token + 1)))
      if (block.isGroupEnd) {
        block.restart()
        last = -1
      }
      table.writeFrontCoded(block.words, token, last)
      block.addFrames(frames, starts[token] as number, starts[token + 1] as number)
      prefixes.add(table.bytes, table.startOf(token), table.startOf(token + 1))
      last = token
    }
    if (block.count > 0) blocks.push(block.take())
    const out = new ByteWriter(firsts.length + 16)
    out.varint(frameCount)
    out.varint(blocks.length)
    out.raw(firsts.view())
    return { terms: out.done(), blocks, prefixes }
  }

  /** ASCII, which nearly all of it is, byte by byte; anything else as text. The same tokens either way. */
  #addRange(from: number, to: number): void {
    const record = this.#record
    for (let at = from; at < to; at++)
      if ((record[at] as number) > 127) {
        const text = Buffer.from(record.buffer, record.byteOffset + from, to - from).toString('utf8')
        eachToken(text, this.#addToken)
        return
      }
    eachRun(record, from, to, this.#addRun)
  }
}

/** Hands over the runs of letters and digits of an ASCII text. */
function eachRun(
  bytes: Uint8Array,
  from: number,
  to: number,
  found: (from: number, to: number) => void,
): void {
  let start = -1
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    const lower = byte | 32
    if ((lower >= 97 && lower <= 122) || (byte >= 48 && byte <= 57)) {
      if (start < 0) start = at
    } else if (start >= 0) {
      found(start, at)
      start = -1
    }
  }
  if (start >= 0) found(start, to)
}

export interface TermParts {
  readonly terms: Uint8Array
  readonly blocks: readonly Uint8Array[]
  readonly prefixes: PrefixFilterBuilder
}

/** A block as it is gathered. */
class TermBlockWriter {
  readonly words: ByteWriter = new ByteWriter(blockBytes)
  count = 0
  #frameCount = 0
  readonly #postings = new ByteWriter(blockBytes)
  readonly #restarts = new ByteWriter(1024)
  #lastRestart = 0

  begin(frameCount: number): void {
    this.#frameCount = frameCount
  }

  get isGroupEnd(): boolean {
    return this.count % restartEvery === 0
  }

  get byteLength(): number {
    return this.words.length + this.#postings.length
  }

  restart(): void {
    this.#restarts.varint(this.words.length - this.#lastRestart)
    this.#restarts.varint(this.#postings.length)
    this.#lastRestart = this.words.length
  }

  /** Of the word written last, `frames` [from, to). 0: every frame; else their number, then the gaps between them. */
  addFrames(frames: Uint32Array, from: number, to: number): void {
    const out = this.#postings
    this.count++
    if (to - from === this.#frameCount) {
      out.u8(0)
      return
    }
    out.varint(to - from)
    let last = 0
    for (let at = from; at < to; at++) {
      const frame = frames[at] as number
      out.varint(frame - last)
      last = frame
    }
  }

  take(): Uint8Array {
    const out = new ByteWriter(this.byteLength + this.#restarts.length + 64)
    out.varint(this.count)
    out.varint(this.#frameCount)
    for (const section of [this.#restarts, this.words, this.#postings]) {
      out.block(section.view())
      section.length = 0
    }
    this.count = 0
    this.#lastRestart = 0
    return out.view()
  }
}

/** What the blocks of a segment's words begin with. */
export class TermDirectory {
  readonly frameCount: number
  readonly byteLength: number
  readonly #firsts: readonly Uint8Array[]

  constructor(content: Uint8Array) {
    const from = new ByteReader(content)
    this.frameCount = from.varint()
    this.#firsts = Array.from({ length: from.count() }, () => from.block().slice())
    // An array with its header weighs more than what is in it.
    this.byteLength = this.#firsts.reduce((sum, first) => sum + first.length + 120, 0)
  }

  get blocks(): number {
    return this.#firsts.length
  }

  /** Blocks that may have words with this beginning, [from, to). */
  blocksOf(prefix: Uint8Array): { readonly from: number; readonly to: number } {
    const firsts = this.#firsts
    let from = 0
    while (from + 1 < firsts.length && compareToPrefix(firsts[from + 1] as Uint8Array, prefix) < 0) from++
    let to = from
    while (to < firsts.length && (to === from || compareToPrefix(firsts[to] as Uint8Array, prefix) <= 0)) to++
    return { from, to }
  }

  /** Throws StoreError `corrupt_segment` where the blocks, all of them in order, are not what it says. */
  check(blocks: readonly TermIndex[]): void {
    if (blocks.length !== this.#firsts.length) throw corruptSegment('a block of words is missing')
    for (const [number, block] of blocks.entries()) {
      block.check()
      if (Buffer.compare(block.first(), this.#firsts[number] as Uint8Array) !== 0)
        throw corruptSegment('a block of words begins with another one')
    }
  }
}

/** 0 if the word begins with the prefix, else whether it comes before (-1) or after (1) those that do. */
function compareToPrefix(word: Uint8Array, prefix: Uint8Array, length = word.length): number {
  for (let at = 0; at < prefix.length; at++) {
    if (at >= length) return -1
    const difference = (word[at] as number) - (prefix[at] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** A block of words in memory; in formats 2 and 3, all of them. Tokens are ordered by their UTF-8 bytes. */
export class TermIndex {
  readonly count: number
  readonly frameCount: number
  readonly byteLength: number
  readonly #words: Uint8Array
  readonly #postings: Uint8Array
  readonly #wordStarts: Uint32Array
  readonly #postingStarts: Uint32Array

  constructor(content: Uint8Array) {
    const from = new ByteReader(content)
    this.count = from.count()
    this.frameCount = from.varint()
    const restarts = new ByteReader(from.block())
    this.#words = from.block()
    this.#postings = from.block()
    const groups = Math.ceil(this.count / restartEvery)
    this.#wordStarts = new Uint32Array(groups)
    this.#postingStarts = new Uint32Array(groups)
    let word = 0
    for (let group = 0; group < groups; group++) {
      word += restarts.varint()
      this.#wordStarts[group] = word
      this.#postingStarts[group] = restarts.varint()
    }
    this.byteLength = content.length + groups * 8
  }

  first(): Uint8Array {
    const token = new TokenBytes()
    if (this.count > 0) token.read(new ByteReader(this.#words))
    return token.bytes.subarray(0, token.length)
  }

  /** Frames with a token that `matcher` accepts, or null if there is no such token. */
  framesOf(matcher: TermMatcher): Uint8Array | null {
    const prefix = Buffer.from(matcher.commonPrefix, 'utf8')
    const token = new TokenBytes()
    let found: Uint8Array | null = null
    for (let group = this.#firstGroup(prefix); group < this.#wordStarts.length; group++) {
      const words = new ByteReader(this.#words, this.#wordStarts[group])
      const postings = new ByteReader(this.#postings, this.#postingStarts[group])
      const size = Math.min(restartEvery, this.count - group * restartEvery)
      token.length = 0
      for (let index = 0; index < size; index++) {
        token.read(words)
        const order = compareToPrefix(token.bytes, prefix, token.length)
        if (order > 0) return found
        const accepted = order === 0 && matcher.matches(token.text())
        if (accepted) found ??= new Uint8Array(this.frameCount)
        this.#readFrames(postings, accepted ? found : null)
      }
    }
    return found
  }

  /** Reads every word and posting. Throws StoreError `corrupt_segment`, also where words are not in order. */
  check(): void {
    const token = new TokenBytes()
    let last = Buffer.alloc(0)
    for (let group = 0; group < this.#wordStarts.length; group++) {
      const words = new ByteReader(this.#words, this.#wordStarts[group])
      const postings = new ByteReader(this.#postings, this.#postingStarts[group])
      token.length = 0
      for (
        let index = group * restartEvery;
        index < Math.min(this.count, (group + 1) * restartEvery);
        index++
      ) {
        token.read(words)
        const bytes = Buffer.from(token.bytes.subarray(0, token.length))
        if (index > 0 && Buffer.compare(last, bytes) >= 0) throw corruptSegment('its words are not in order')
        last = bytes
        this.#readFrames(postings, null)
      }
    }
  }

  /** The last group whose first token is below `prefix`; the first one if there is none. */
  #firstGroup(prefix: Uint8Array): number {
    const token = new TokenBytes()
    let low = 0
    let high = this.#wordStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      token.length = 0
      token.read(new ByteReader(this.#words, this.#wordStarts[middle]))
      if (compareToPrefix(token.bytes, prefix, token.length) < 0) low = middle
      else high = middle - 1
    }
    return low
  }

  #readFrames(from: ByteReader, into: Uint8Array | null): void {
    const count = from.varint()
    if (count === 0) {
      into?.fill(1)
      return
    }
    let frame = 0
    for (let index = 0; index < count; index++) {
      frame += from.varint()
      if (frame >= this.frameCount) throw corruptSegment('a posting is out of range')
      if (into !== null) into[frame] = 1
    }
  }
}

/** The token a front-coded list is at. */
class TokenBytes {
  readonly bytes: Uint8Array = new Uint8Array(maxTokenBytes)
  length = 0

  read(from: ByteReader): void {
    const shared = from.varint()
    const rest = from.block()
    if (shared > this.length || shared + rest.length > maxTokenBytes)
      throw corruptSegment('a token has a wrong length')
    this.bytes.set(rest, shared)
    this.length = shared + rest.length
  }

  text(): string {
    return Buffer.from(this.bytes.buffer, 0, this.length).toString('utf8')
  }
}
