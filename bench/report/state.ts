/** What rows have given so far, kept in a file so that a long run can be taken up where it ended. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import type { Curve, Figure, Scale } from '../rows/row.ts'

export interface RowRecord {
  readonly id: string
  readonly title: string
  readonly scale: Scale
  /** RFC 3339. */
  readonly at: string
  readonly seconds: number
  /** Of the machine over the minute before the row ended: what else ran beside it. */
  readonly loadAverage: number
  readonly figures: readonly Figure[]
  readonly curves: readonly Curve[]
}

export interface BenchState {
  readonly machine: string
  readonly rows: readonly RowRecord[]
}

export function machineName(): string {
  const list = cpus()
  return `${list.length} x ${list[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}, ${process.platform}`
}

export function readState(file: string): BenchState {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as BenchState // written below
    // Figures of another machine mean nothing beside those of this one.
    if (state.machine === machineName()) return state
  } catch {
    // No run before this one, or one that was cut off while writing: it starts anew.
  }
  return { machine: machineName(), rows: [] }
}

export function keepRow(file: string, state: BenchState, record: RowRecord): BenchState {
  const next = { ...state, rows: [...state.rows.filter(row => row.id !== record.id), record] }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(next, null, 1))
  renameSync(`${file}.new`, file)
  return next
}
