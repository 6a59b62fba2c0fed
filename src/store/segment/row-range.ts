/** Blocks of neighbouring rows: one cut into several, several put together. The tables stay the same. */
import type { Block } from '../../model/telemetry.ts'

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array

function isColumn(value: unknown): value is Column {
  return ArrayBuffer.isView(value)
}

/** Rows [from, to) of the block; its columns are views of those of the block. */
export function rowsOf<B extends Block>(block: B, from: number, to: number): B {
  if (from === 0 && to === block.count) return block
  const part: Record<string, unknown> = { ...block, count: to - from }
  for (const [name, column] of Object.entries(block)) {
    if (!isColumn(column)) continue
    const width = column.length / block.count
    part[name] = column.subarray(from * width, to * width)
  }
  return part as unknown as B // every column is of its own type, with fewer rows
}

/** All rows of blocks that share their tables, at least one. */
export function joinedRows<B extends Block>(blocks: readonly B[]): B {
  const [first] = blocks
  if (first === undefined) throw new TypeError('no rows to be joined')
  if (blocks.length === 1) return first
  const all: Record<string, unknown> = { ...first, count: blocks.reduce((sum, one) => sum + one.count, 0) }
  for (const [name, column] of Object.entries(first))
    if (isColumn(column)) all[name] = joinedColumns(blocks.map(block => Reflect.get(block, name) as Column))
  return all as unknown as B // as above
}

/** Columns of one type, one behind the other. */
export function joinedColumns<C extends Column>(columns: readonly C[]): C {
  const [first] = columns
  if (first === undefined) throw new TypeError('no columns to be joined')
  const size = columns.reduce((sum, column) => sum + column.length, 0)
  const made = new (first.constructor as new (size: number) => C)(size)
  let at = 0
  for (const column of columns) {
    made.set(column, at)
    at += column.length
  }
  return made
}
