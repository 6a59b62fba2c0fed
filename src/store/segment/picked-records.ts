/** The messages of the rows of a segment, wherever the tables they came in hold them. */
import type { LineMarks, RecordTable } from '../../model/telemetry.ts'
import type { Scratch } from './scratch.ts'
import { viewOf } from './words.ts'

/** Shape and variables of a line, as `LineMarks` tells them. */
export interface RowMarks {
  /** 0 where nothing is known. */
  readonly shape: number
  /** Its variables begin at `first`. */
  readonly variables: Uint32Array
  readonly first: number
}

const noVariables = new Uint32Array(0)

/** All messages of several tables, numbered through; in scratch memory. */
export class JoinedRecords {
  readonly tables: readonly RecordTable[]
  readonly views: readonly DataView[]
  /** Which table holds the message of a row. */
  readonly table: Uint32Array
  readonly offset: Uint32Array
  readonly length: Uint32Array
  /** Shape of the line of each row, and where its variables begin; null where no table says. */
  readonly shape: Uint32Array | null
  readonly first: Uint32Array | null
  /** By table. */
  readonly variables: readonly Uint32Array[]

  /** `marks` are those of the tables, null where nothing is known. */
  constructor(scratch: Scratch, tables: readonly RecordTable[], marks: readonly (LineMarks | null)[]) {
    const count = tables.reduce((sum, table) => sum + table.offset.length, 0)
    this.tables = tables
    this.views = tables.map(table => viewOf(table.bytes))
    this.table = scratch.words(count)
    this.offset = scratch.words(count)
    this.length = scratch.words(count)
    const marked = marks.some(one => one !== null)
    this.shape = marked ? scratch.words(count).fill(0) : null
    this.first = marked ? scratch.words(count) : null
    this.variables = marks.map(one => one?.variables ?? noVariables)
    let at = 0
    for (let number = 0; number < tables.length; number++) {
      const { offset, length } = tables[number] as RecordTable
      this.offset.set(offset, at)
      this.length.set(length, at)
      this.table.fill(number, at, at + offset.length)
      const lines = marks[number] ?? null
      if (lines !== null) {
        this.shape?.set(lines.shape, at)
        this.first?.set(lines.first, at)
      }
      at += offset.length
    }
  }
}

/** A cursor over some of them: what `seek` found stands in its fields until the next one. */
export class PickedRecords implements RowMarks {
  readonly #all: JoinedRecords
  readonly #rows: Uint32Array
  bytes: Uint8Array = new Uint8Array()
  /** The same memory as `bytes`. */
  view: DataView = viewOf(this.bytes)
  from = 0
  to = 0
  shape = 0
  first = 0
  variables: Uint32Array = noVariables

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
    if (all.shape === null || all.first === null) return
    this.shape = all.shape[from] as number
    this.first = all.first[from] as number
    this.variables = all.variables[table] as Uint32Array
  }
}
