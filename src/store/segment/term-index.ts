/**
 * The words of a log segment: its distinct folded tokens, sorted and front-coded with a whole token every
 * `restartEvery`, each with the frames of rows it occurs in. A word, a prefix or a stem is found by binary
 * search over the whole ones, and only the frames named have to be unpacked.
 */

import { eachToken, maxTokenLength } from '../search/fold-text.ts'
import { eachTextRange, type TextSink } from '../search/log-text.ts'
import type { TermMatcher } from '../search/term-matcher.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'
import { PrefixFilterBuilder } from './prefix-filter.ts'
import { TokenTable } from './token-table.ts'

/** Sixteen: a look-up decodes at most fifteen neighbours, and the whole tokens cost 6 % of the dictionary. */
const restartEvery = 16

/** Bytes of a token: four for each UTF-16 unit at the very most. */
const maxTokenBytes = maxTokenLength * 4

/** Gathers tokens row by row; rows come in order, `frame` counts up. */
export class TermIndexBuilder {
  readonly #table = new TokenTable()
  #frame = 0
  #record: Uint8Array = new Uint8Array()
  readonly #addToken = (token: string): void => {
    const bytes = Buffer.from(token, 'utf8')
    this.#table.begin()
    for (let at = 0; at < bytes.length; at++) this.#table.push(bytes[at] as number)
    this.#table.end(this.#frame)
  }
  readonly #sink: TextSink = {
    range: (from, to) => this.#addRange(from, to),
    text: value => eachToken(value, this.#addToken),
  }

  addRecord(frame: number, record: Uint8Array): void {
    this.#frame = frame
    this.#record = record
    eachTextRange(record, this.#sink)
  }

  /** The index, and what its words begin with. */
  finish(frameCount: number): { readonly terms: Uint8Array; readonly prefixes: PrefixFilterBuilder } {
    const table = this.#table
    const order = table.sorted()
    const { starts: postingStarts, frames } = table.postings()
    const words = new ByteWriter(order.length * 8 + 64)
    const postings = new ByteWriter(order.length * 2 + 64)
    const restarts = new ByteWriter(order.length + 64)
    let last = -1
    let lastRestart = 0
    const prefixes = new PrefixFilterBuilder()
    for (let index = 0; index < order.length; index++) {
      const token = order[index] as number
      if (index % restartEvery === 0) {
        restarts.varint(words.length - lastRestart)
        restarts.varint(postings.length)
        lastRestart = words.length
        last = -1
      }
      table.writeFrontCoded(words, token, last)
      prefixes.add(table.bytesOf(token))
      writeFrames(postings, frames.subarray(postingStarts[token], postingStarts[token + 1]), frameCount)
      last = token
    }
    const out = new ByteWriter(words.length + postings.length + restarts.length + 64)
    out.varint(order.length)
    out.varint(frameCount)
    out.block(restarts.view())
    out.block(words.view())
    out.block(postings.view())
    return { terms: out.done(), prefixes }
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
    const table = this.#table
    let length = 0
    for (let at = from; at < to; at++) {
      let byte = record[at] as number
      if (byte >= 65 && byte <= 90) byte += 32
      if ((byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57)) {
        if (length === 0) table.begin()
        if (length++ < maxTokenLength) table.push(byte)
      } else if (length > 0) {
        table.end(this.#frame)
        length = 0
      }
    }
    if (length > 0) table.end(this.#frame)
  }
}

/** 0: every frame; else their number, then the gaps between them. */
function writeFrames(out: ByteWriter, frames: Uint32Array, frameCount: number): void {
  if (frames.length === frameCount) {
    out.u8(0)
    return
  }
  out.varint(frames.length)
  let last = 0
  for (const frame of frames) {
    out.varint(frame - last)
    last = frame
  }
}

/** A term index in memory. Tokens are ordered by their UTF-8 bytes. */
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
        const order = token.compareToPrefix(prefix)
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
      if (token.compareToPrefix(prefix) < 0) low = middle
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

  /** 0 if it begins with the prefix, else whether it comes before (-1) or after (1) those that do. */
  compareToPrefix(prefix: Uint8Array): number {
    for (let at = 0; at < prefix.length; at++) {
      if (at >= this.length) return -1
      const difference = (this.bytes[at] as number) - (prefix[at] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  text(): string {
    return Buffer.from(this.bytes.buffer, 0, this.length).toString('utf8')
  }
}
