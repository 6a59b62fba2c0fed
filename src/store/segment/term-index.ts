/**
 * The words of a log segment: its distinct folded tokens, sorted and front-coded with a whole token every
 * `restartEvery`, each with the frames of rows it occurs in. A word, a prefix or a stem is found by binary
 * search over the whole ones, and only the frames named have to be unpacked.
 */

import { eachToken } from '../search/fold-text.ts'
import { eachLogText } from '../search/log-text.ts'
import type { TermMatcher } from '../search/term-matcher.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'

/** Sixteen: a look-up decodes at most fifteen neighbours, and the whole tokens cost 6 % of the dictionary. */
const restartEvery = 16

/** Gathers tokens row by row; rows come in order, `frame` counts up. */
export class TermIndexBuilder {
  /** Frames per token, ascending. */
  readonly #frames = new Map<string, number[]>()
  #frame = 0
  readonly #add = (token: string): void => {
    const frames = this.#frames.get(token)
    if (frames === undefined) this.#frames.set(token, [this.#frame])
    else if (frames[frames.length - 1] !== this.#frame) frames.push(this.#frame)
  }
  readonly #addText = (text: string): void => eachToken(text, this.#add)

  addRecord(frame: number, record: Uint8Array): void {
    this.#frame = frame
    eachLogText(record, this.#addText)
  }

  finish(frameCount: number): Uint8Array {
    const tokens = [...this.#frames.keys()].sort()
    const words = new ByteWriter(tokens.length * 8 + 64)
    const postings = new ByteWriter(tokens.length * 2 + 64)
    const restarts = new ByteWriter(tokens.length + 64)
    let last = Buffer.alloc(0)
    let lastRestart = 0
    for (let index = 0; index < tokens.length; index++) {
      const token = tokens[index] as string
      const bytes = Buffer.from(token, 'utf8')
      if (index % restartEvery === 0) {
        restarts.varint(words.length - lastRestart)
        restarts.varint(postings.length)
        lastRestart = words.length
        last = Buffer.alloc(0)
      }
      const shared = sharedLength(last, bytes)
      words.varint(shared)
      words.varint(bytes.length - shared)
      words.raw(bytes, shared, bytes.length)
      writeFrames(postings, this.#frames.get(token) ?? [], frameCount)
      last = bytes
    }
    const out = new ByteWriter(words.length + postings.length + restarts.length + 64)
    out.varint(tokens.length)
    out.varint(frameCount)
    out.block(restarts.view())
    out.block(words.view())
    out.block(postings.view())
    return out.done()
  }
}

/** 0: every frame; else their number, then the gaps between them. */
function writeFrames(out: ByteWriter, frames: readonly number[], frameCount: number): void {
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

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** A term index in memory. Tokens are compared in UTF-16 order, the order they were sorted in. */
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
    const prefix = matcher.commonPrefix
    let found: Uint8Array | null = null
    for (let group = Math.max(0, this.#firstGroup(prefix)); group < this.#wordStarts.length; group++) {
      const words = new ByteReader(this.#words, this.#wordStarts[group])
      const postings = new ByteReader(this.#postings, this.#postingStarts[group])
      let token = Buffer.alloc(0)
      const size = Math.min(restartEvery, this.count - group * restartEvery)
      for (let index = 0; index < size; index++) {
        const shared = words.varint()
        if (shared > token.length) throw corruptSegment('a token shares more than there is')
        token = Buffer.concat([token.subarray(0, shared), words.block()])
        const text = token.toString('utf8')
        const accepted = text.startsWith(prefix) && matcher.matches(text)
        if (accepted) found ??= new Uint8Array(this.frameCount)
        this.#readFrames(postings, accepted ? found : null)
        if (text > prefix && !text.startsWith(prefix)) return found
      }
    }
    return found
  }

  /** The last group whose first token is not beyond `prefix`. */
  #firstGroup(prefix: string): number {
    let low = 0
    let high = this.#wordStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const words = new ByteReader(this.#words, this.#wordStarts[middle])
      words.varint()
      if (words.text() <= prefix) low = middle
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
