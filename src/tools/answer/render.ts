/** Cells of a draft as they are shown: names plain or hashed, text fenced, times in UTC. */
import { formatTime } from '../arguments/time-argument.ts'
import { fence } from '../text/fence.ts'
import { type NameKind, showName } from '../text/name.ts'
import type { Cell, Column, JsonValue, Table } from './draft.ts'

const hexId = /^[0-9a-f]{0,64}$/

/** Six significant digits at most: no more is measured, and every digit costs. */
export function shortNumber(value: number): number | null {
  if (!Number.isFinite(value)) return null
  if (Number.isInteger(value)) return value
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4))
}

function showText(value: string, kind: Column['kind'], textLimit: number): string {
  switch (kind) {
    case 'text':
      return fence(value, textLimit)
    case 'id':
      return hexId.test(value) ? value : showName(value, 'name')
    case 'word':
    case 'time':
      return showName(value, 'name')
    default:
      return showName(value, kind satisfies NameKind)
  }
}

function showCell(cell: Cell, kind: Column['kind'], textLimit: number): JsonValue {
  if (cell === null || typeof cell === 'boolean') return cell
  if (typeof cell === 'number') return kind === 'time' ? formatTime(cell) : shortNumber(cell)
  if (typeof cell === 'string') return showText(cell, kind, textLimit)
  return cell.map(part => (typeof part === 'number' ? shortNumber(part) : showText(part, kind, textLimit)))
}

export function showRow(table: Table, cells: readonly Cell[], textLimit: number): readonly JsonValue[] {
  return table.columns.map((column, at) => showCell(cells[at] ?? null, column.kind, textLimit))
}
