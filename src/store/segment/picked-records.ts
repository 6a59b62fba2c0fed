/** The messages of the rows of a segment, wherever the tables they were picked from hold them. */
import type { RecordTable } from '../../model/telemetry.ts'
import type { Picks } from './merge-blocks.ts'
import { viewOf } from './words.ts'

/** A cursor: what `seek` found stands in its fields until the next one. */
export class PickedRecords {
  readonly #tables: readonly RecordTable[]
  readonly #views: readonly DataView[]
  readonly #picks: Picks
  bytes: Uint8Array = new Uint8Array()
  /** The same memory as `bytes`. */
  view: DataView = viewOf(this.bytes)
  from = 0
  to = 0

  constructor(tables: readonly RecordTable[], picks: Picks) {
    this.#tables = tables
    this.#views = tables.map(table => viewOf(table.bytes))
    this.#picks = picks
  }

  seek(row: number): void {
    const source = this.#picks.source[row] as number
    const from = this.#picks.row[row] as number
    const table = this.#tables[source] as RecordTable
    this.bytes = table.bytes
    this.view = this.#views[source] as DataView
    this.from = table.offset[from] as number
    this.to = this.from + (table.length[from] as number)
  }
}
