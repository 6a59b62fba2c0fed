/** The cells of a table by block, kind, series and window: the order in which they are stored. */
import type { CellTable } from './cell-table.ts'
import { kindShapes, type SeriesKeys } from './series-keys.ts'

/** Windows one block covers, aligned: an hour of ten-second windows. Range reads skip whole blocks by it. */
export const windowsPerBlock = 360

/** Cells of one kind that go into one block. */
export interface CellGroup {
  readonly kind: number
  readonly cells: Uint32Array
}

/** Groups by block, oldest first, and by kind; what cancelled out is left out. */
export function orderCells(table: CellTable, series: SeriesKeys): readonly (readonly CellGroup[])[] {
  const blocks = new Map<number, CellGroup[]>()
  for (const { kind, cells } of byKind(sortCells(table, series), table, series)) {
    for (const [block, own] of splitByBlock(cells, table)) {
      const groups = blocks.get(block)
      if (groups === undefined) blocks.set(block, [{ kind, cells: own }])
      else groups.push({ kind, cells: own })
    }
  }
  return [...blocks].sort(([a], [b]) => a - b).map(([, groups]) => groups)
}

/** The cells of each block, in their order. */
function splitByBlock(cells: Uint32Array, table: CellTable): ReadonlyMap<number, Uint32Array> {
  const counts = new Map<number, number>()
  eachRun(cells, table, (block, from, to) => counts.set(block, (counts.get(block) ?? 0) + to - from))
  if (counts.size < 2) return new Map([...counts.keys()].map(block => [block, cells]))
  const split = new Map([...counts].map(([block, count]) => [block, new Uint32Array(count)]))
  const used = new Map<number, number>()
  eachRun(cells, table, (block, from, to) => {
    const at = used.get(block) ?? 0
    split.get(block)?.set(cells.subarray(from, to), at)
    used.set(block, at + to - from)
  })
  return split
}

/** Stretches of cells that lie in one block: windows ascend within a series, so that they are few. */
function eachRun(
  cells: Uint32Array,
  table: CellTable,
  run: (block: number, from: number, to: number) => void,
): void {
  for (let from = 0; from < cells.length; ) {
    const block = Math.floor(table.windowOf(cells[from] as number) / windowsPerBlock)
    const first = block * windowsPerBlock
    const end = first + windowsPerBlock
    let to = from + 1
    for (; to < cells.length; to++) {
      const window = table.windowOf(cells[to] as number)
      if (window < first || window >= end) break
    }
    run(block, from, to)
    from = to
  }
}

/** By kind, series and window. */
function sortCells(table: CellTable, series: SeriesKeys): Uint32Array {
  const counts = new Uint32Array(series.size)
  let total = 0
  for (let cell = 0; cell < table.size; cell++) {
    if (isRedundant(table, series, cell)) continue
    const number = table.seriesOf(cell)
    counts[number] = (counts[number] as number) + 1
    total++
  }
  const next = startsOf(counts, series)
  const first = next.slice()
  const sorted = new Uint32Array(total)
  for (let cell = 0; cell < table.size; cell++) {
    if (isRedundant(table, series, cell)) continue
    const number = table.seriesOf(cell)
    const window = table.windowOf(cell)
    let at = next[number] as number
    next[number] = at + 1
    // Windows mostly come in the order of time, so there is little to move.
    for (; at > (first[number] as number) && table.windowOf(sorted[at - 1] as number) > window; at--)
      sorted[at] = sorted[at - 1] as number
    sorted[at] = cell
  }
  return sorted
}

/** Where the cells of each series begin. */
function startsOf(counts: Uint32Array, series: SeriesKeys): Uint32Array {
  const starts = new Uint32Array(counts.length)
  let at = 0
  for (let kind = 0; kind < kindShapes.length; kind++) {
    for (let number = 0; number < counts.length; number++) {
      if (series.kinds[number] !== kind) continue
      starts[number] = at
      at += counts[number] as number
    }
  }
  return starts
}

function byKind(sorted: Uint32Array, table: CellTable, series: SeriesKeys): CellGroup[] {
  const groups: CellGroup[] = []
  for (let from = 0; from < sorted.length; ) {
    const kind = series.kinds[table.seriesOf(sorted[from] as number)] ?? 0
    let to = from + 1
    while (to < sorted.length && series.kinds[table.seriesOf(sorted[to] as number)] === kind) to++
    groups.push({ kind, cells: sorted.subarray(from, to) })
    from = to
  }
  return groups
}

/** Corrections may cancel a cell out; an edge known from metrics alone counts by being there. */
function isRedundant(table: CellTable, series: SeriesKeys, cell: number): boolean {
  if (!table.isZero(cell)) return false
  const number = table.seriesOf(cell)
  const kind = kindShapes[series.kinds[number] ?? 0]
  if (kind?.cells === 'value') return false
  return !(kind?.cells === 'call' && series.keys[number]?.[2] === 'metric')
}
