/** The messages of the rows of a segment, wherever the tables they came in hold them. */
import type { RecordTable } from '../../model/telemetry.ts'
import { viewOf } from './words.ts'

/** All messages of several tables, numbered through. */
export class JoinedRecords {
  readonly tables: readonly RecordTable[]
  readonly views: readonly DataView[]
  /** Which table holds the message of a row. */
  readonly table: Uint32Array
  readonly offset: Uint32Array
  readonly length: Uint32Array

  constructor(tables: readonly RecordTable[]) {
    const count = tables.reduce((sum, table) => sum + table.offset.length, 0)
    this.tables = tables
    this.views = tables.map(table => viewOf(table.bytes))
    this.table = new Uint32Array(count)
    this.offset = new Uint32Array(count)
    this.length = new Uint32Array(count)
    let at = 0
    for (let number = 0; number < tables.length; number++) {
      const { offset, length } = tables[number] as RecordTable
      this.offset.set(offset, at)
      this.length.set(length, at)
      this.table.fill(number, at, at + offset.length)
      at += offset.length
    }
  }
}

/** A cursor over some of them: what `seek` found stands in its fields until the next one. */
export class PickedRecords {
  readonly #all: JoinedRecords
  readonly #rows: Uint32Array
  bytes: Uint8Array = new Uint8Array()
  /** The same memory as `bytes`. */
  view: DataView = viewOf(this.bytes)
  from = 0
  to = 0

  /** Row `i` here is row `rows[i]` of `all`. */
  constructor(all: JoinedRecords, rows: Uint32Array) {
    this.#all = all
    this.#rows = rows
  }

  seek(row: number): void {
    const all = this.#all
    const from = this.#rows[row] as number
    const table = all.table[from] as number
    this.bytes = (all.tables[table] as RecordTable).bytes
    this.view = all.views[table] as DataView
    this.from = all.offset[from] as number
    this.to = this.from + (all.length[from] as number)
  }
}
