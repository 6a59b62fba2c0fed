/** Where the record of each row lies, and the side buffer of those that had to be rewritten. */
import type { RecordTable } from '../model/telemetry.ts'
import { ColumnBuffer, firstOf } from './column-buffer.ts'
import type { MessageShape } from './fields/message-shape.ts'
import { type RewriteOutcome, rewriteRecord } from './rewrite-record.ts'
import { ByteWriter } from './wire/byte-writer.ts'

const asSent: RewriteOutcome = { truncated: false, droppedIds: false }

export class RecordList {
  readonly #bytes: Uint8Array
  readonly #limit: number
  readonly #side = new ByteWriter(0)
  #sideStart = 0
  offset: Uint32Array
  length: Uint32Array

  constructor(bytes: Uint8Array, items: number, attributeMaxBytes: number) {
    this.#bytes = bytes
    this.#limit = attributeMaxBytes
    const buffer = new ColumnBuffer(items, 8)
    this.offset = buffer.uint32(items)
    this.length = buffer.uint32(items)
  }

  /**
   * Enters the record of a row. It is looked through only when it is long enough to hold a value over the
   * limit, or when the decoder saw a bad id.
   */
  add(row: number, shape: MessageShape, from: number, to: number, badId: boolean): RewriteOutcome {
    this.keep(row, from, to)
    if (to - from <= this.#limit && !badId) return asSent
    const start = this.#side.length
    this.#sideStart = start
    const outcome = rewriteRecord(shape, this.#bytes, { from, to }, this.#limit, this.#side)
    if (!outcome.truncated && !outcome.droppedIds) {
      this.#side.length = start
      return outcome
    }
    this.offset[row] = this.#bytes.length + start
    this.length[row] = this.#side.length - start
    return outcome
  }

  /** Rows there is room for. */
  get capacity(): number {
    return this.offset.length
  }

  /** Makes room for twice as many rows. */
  grow(): void {
    this.#resize(2 * this.capacity + 1)
  }

  /** Leaves room for the first `rows` rows alone. */
  fit(rows: number): void {
    if (rows !== this.capacity) this.#resize(rows)
  }

  #resize(rows: number): void {
    const wider = new ColumnBuffer(rows, 8)
    const offset = wider.uint32(rows)
    const length = wider.uint32(rows)
    offset.set(rows < this.capacity ? this.offset.subarray(0, rows) : this.offset)
    length.set(rows < this.capacity ? this.length.subarray(0, rows) : this.length)
    this.offset = offset
    this.length = length
  }

  /** Enters the record of a row that needs no look. */
  keep(row: number, from: number, to: number): void {
    this.offset[row] = from
    this.length[row] = to - from
  }

  /** The record that was rewritten last, as a view that the next one may change. */
  rewritten(): Uint8Array {
    return this.#side.view(this.#sideStart)
  }

  /** The table of the first `rows` rows. Shares the request's bytes unless a record was rewritten. */
  finish(rows: number): RecordTable {
    const { offset, length } = this
    const side = this.#side.view()
    let bytes = this.#bytes
    if (side.length > 0) {
      bytes = new Uint8Array(this.#bytes.length + side.length)
      bytes.set(this.#bytes)
      bytes.set(side, this.#bytes.length)
    }
    return { bytes, offset: firstOf(offset, rows), length: firstOf(length, rows) }
  }
}
