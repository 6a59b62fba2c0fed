/**
 * Puts an answer together within its budget, for any data: first everything, then rows go by importance, then
 * texts get shorter, then next calls, facts and table heads go. What went is listed in `omitted`.
 */
import { formatTime } from '../arguments/time-argument.ts'
import { defaultTextLimit } from '../text/fence.ts'
import { type CursorBinding, type CursorPosition, writeCursor } from './cursor.ts'
import type { Draft, JsonValue, Row, ShownCoverage, Table } from './draft.ts'
import { shortNumber, showRow } from './render.ts'
import { tokenBound } from './token-bound.ts'

export interface Frame {
  readonly maxTokens: number
  /** Rows asked for; counts the rows of the first table that has a cursor. */
  readonly limit: number
  readonly asOf: string
  readonly resultId: string
  readonly coverage: ShownCoverage
  readonly binding: CursorBinding
  /** Where this page starts, if a cursor was given. */
  readonly start: CursorPosition | null
}

interface RankedRow {
  readonly table: number
  readonly at: number
  readonly row: Row
}

/** How much is left out besides rows; tried in this order. */
interface Economy {
  readonly textLimit: number
  readonly next: number
  readonly facts: boolean
  readonly notes: boolean
  readonly heads: boolean
  readonly answerLimit: number
}

const full: Economy = {
  textLimit: defaultTextLimit,
  next: 3,
  facts: true,
  notes: true,
  heads: true,
  answerLimit: 1_200,
}

const economies: readonly Economy[] = [
  full,
  { ...full, textLimit: 160 },
  { ...full, textLimit: 60, next: 1 },
  { ...full, textLimit: 60, next: 0, facts: false },
  { ...full, textLimit: 24, next: 0, facts: false, notes: false },
  { ...full, textLimit: 24, next: 0, facts: false, notes: false, heads: false },
  { ...full, textLimit: 24, next: 0, facts: false, notes: false, heads: false, answerLimit: 120 },
]

/** Rows worth showing before a leaner economy is tried. */
const enoughRows = 3

function rank(tables: readonly Table[]): readonly RankedRow[] {
  return tables
    .flatMap((table, index) => table.rows.map((row, at) => ({ table: index, at, row })))
    .sort((a, b) => b.row.importance - a.row.importance || a.table - b.table || a.at - b.at)
}

/** The rows after the cursor, of its table alone. */
function rowsAfter(tables: readonly Table[], start: CursorPosition): readonly Table[] {
  return tables
    .filter(table => table.name === start.table)
    .map(table => {
      let ties = 0
      const skipped = new Set<Row>()
      for (const { row } of rank([table])) {
        if (row.importance > start.importance) skipped.add(row)
        else if (row.importance === start.importance && ties < start.ties) {
          ties++
          skipped.add(row)
        } else break
      }
      return { ...table, rows: table.rows.filter(row => !skipped.has(row)) }
    })
}

/** Keeps the `limit` most important rows of the tables that can be paged; the rest is counted as `more`. */
function withinLimit(tables: readonly Table[], limit: number): readonly Table[] {
  return tables.map(table => {
    if (table.paged === false || table.rows.length <= limit) return table
    const kept = new Set(
      rank([table])
        .slice(0, limit)
        .map(entry => entry.row),
    )
    const more = (table.more ?? 0) + table.rows.length - limit
    return { ...table, rows: table.rows.filter(row => kept.has(row)), more }
  })
}

/** Rows of the same importance as the last one shown, those of earlier pages included. */
function tiesOf(rows: readonly Row[], importance: number, start: CursorPosition | null): number {
  const here = rows.filter(row => row.importance === importance).length
  return here + (start !== null && start.importance === importance ? start.ties : 0)
}

/**
 * What `as_of` and `result_id` cost at most: 24 hexadecimal digits, two numbers of fifteen digits, a time and what stands between.
 * Always the same, or the same data in another store would show a row more or less.
 */
const identityTokens = 72

class Assembly {
  private readonly frame: Frame
  private readonly draft: Draft
  private readonly tables: readonly Table[]
  private readonly ranked: readonly RankedRow[]
  private readonly shown = new Map<number, Map<Row, readonly JsonValue[]>>()

  constructor(draft: Draft, frame: Frame) {
    const all = draft.tables ?? []
    this.frame = frame
    this.draft = draft
    this.tables = withinLimit(frame.start === null ? all : rowsAfter(all, frame.start), frame.limit)
    this.ranked = rank(this.tables)
  }

  get rowCount(): number {
    return this.ranked.length
  }

  private row(table: Table, row: Row, textLimit: number): readonly JsonValue[] {
    const known = this.shown.get(textLimit) ?? new Map<Row, readonly JsonValue[]>()
    this.shown.set(textLimit, known)
    const cells = known.get(row) ?? showRow(table, row.cells, textLimit)
    known.set(row, cells)
    return cells
  }

  /** More rows than this cannot fit, whatever else is left out. */
  fittingRows(textLimit: number): number {
    let tokens = 0
    let count = 0
    for (const { table, row } of this.ranked) {
      const head = this.tables[table]
      if (head === undefined) break
      // Neighbouring brackets may share a token, never more than two a row.
      tokens += tokenBound(JSON.stringify(this.row(head, row, textLimit))) - 2
      if (tokens > this.frame.maxTokens) break
      count++
    }
    return count
  }

  private cursorFor(table: Table, kept: readonly Row[]): string | undefined {
    if (table.paged === false || kept.length === 0) return undefined
    const importance = Math.min(...kept.map(row => row.importance))
    return writeCursor(
      {
        table: table.name,
        fromMs: this.draft.window?.fromMs ?? 0,
        toMs: this.draft.window?.toMs ?? 0,
        importance,
        ties: tiesOf(kept, importance, this.frame.start),
      },
      this.frame.binding,
    )
  }

  private tablesOf(count: number, economy: Economy) {
    const kept = new Set(this.ranked.slice(0, count).map(entry => entry.row))
    const shown: Record<string, JsonValue> = {}
    const omitted: JsonValue[] = []
    for (const table of this.tables) {
      const rows = table.rows.filter(row => kept.has(row))
      const missing = table.rows.length - rows.length + (table.more ?? 0)
      const untrusted = table.columns.filter(column => column.kind === 'text').map(column => column.name)
      const cursor = missing > 0 ? this.cursorFor(table, rows) : undefined
      if (missing > 0)
        omitted.push({ table: table.name, rows: missing, ...(cursor === undefined ? {} : { cursor }) })
      if (rows.length === 0 && (!economy.heads || missing > 0 || table.rows.length === 0)) continue
      shown[table.name] = {
        columns: table.columns.map(column => column.name),
        ...(untrusted.length > 0 ? { untrusted } : {}),
        rows: rows.map(row => this.row(table, row, economy.textLimit)),
      }
    }
    return { shown, omitted }
  }

  private coverage(economy: Economy): JsonValue {
    const { notes = [], ...rest } = this.frame.coverage
    const all = [...notes, ...(this.draft.notes ?? [])]
    const read = economy.facts ? this.draft.read : undefined
    return {
      ...(read === undefined ? {} : { read }),
      ...rest,
      ...(economy.notes && all.length > 0 ? { notes: all } : {}),
    }
  }

  /** The first fact is the one that counts; it stays in any economy. */
  private facts(economy: Economy): Record<string, JsonValue> {
    const show = (value: JsonValue): JsonValue => (typeof value === 'number' ? shortNumber(value) : value)
    return Object.fromEntries(
      Object.entries(this.draft.facts ?? {})
        .slice(0, economy.facts ? undefined : 1)
        .map(([key, value]) => [
          key,
          Array.isArray(value) ? value.map(show) : show(value as JsonValue), // Fact is a subset of JsonValue
        ]),
    )
  }

  /** The answer with the `count` most important rows. */
  text(count: number, economy: Economy): string {
    const { asOf, resultId } = this.frame
    const identity = JSON.stringify({ as_of: asOf, result_id: resultId })
    return `${this.content(count, economy).slice(0, -1)},${identity.slice(1)}`
  }

  /** The same without what names the inbox and the answer. */
  private content(count: number, economy: Economy): string {
    const { draft } = this
    const { shown, omitted } = this.tablesOf(count, economy)
    const lost: string[] = []
    const next = (draft.next ?? []).slice(0, economy.next)
    if (next.length < Math.min(draft.next?.length ?? 0, 3)) lost.push('next')
    if (!economy.facts && draft.facts !== undefined) lost.push('facts')
    if (!economy.notes) lost.push('notes')
    if (lost.length > 0) omitted.push({ parts: lost, raise: 'max_tokens' })
    const range = (window: { readonly fromMs: number; readonly toMs: number }): JsonValue => [
      formatTime(window.fromMs),
      formatTime(window.toMs),
    ]
    const whole: JsonValue = {
      answer: draft.answer.slice(0, economy.answerLimit),
      ...(draft.status === 'ok' ? {} : { status: draft.status }),
      ...(draft.window === undefined ? {} : { window: range(draft.window) }),
      ...(draft.baseline === undefined || draft.baseline === null ? {} : { baseline: range(draft.baseline) }),
      ...(draft.facts === undefined ? {} : { facts: this.facts(economy) }),
      ...(Object.keys(shown).length > 0 ? { tables: shown } : {}),
      coverage: this.coverage(economy),
      ...(omitted.length > 0 ? { omitted } : {}),
      ...(next.length > 0 ? { next: next.map(call => ({ ...call }) as JsonValue) } : {}), // arguments are JSON
    }
    return JSON.stringify(whole)
  }

  fits(count: number, economy: Economy): boolean {
    return tokenBound(this.content(count, economy)) + identityTokens <= this.frame.maxTokens
  }
}

/** The most rows that fit, by halving; -1 if not even none fits. */
function mostRows(assembly: Assembly, economy: Economy): number {
  const possible = assembly.fittingRows(economy.textLimit)
  if (assembly.fits(possible, economy)) return possible
  let low = -1
  let high = possible
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (assembly.fits(middle, economy)) low = middle
    else high = middle
  }
  return low
}

/** The whole answer as one compact JSON text of at most `frame.maxTokens` tokens, by `tokenBound`. */
export function assemble(draft: Draft, frame: Frame): string {
  const assembly = new Assembly(draft, frame)
  const wanted = Math.min(enoughRows, assembly.rowCount)
  let best: { readonly rows: number; readonly economy: Economy } | null = null
  for (const economy of economies) {
    const rows = mostRows(assembly, economy)
    if (rows > (best?.rows ?? -1)) best = { rows, economy }
    if (rows >= wanted) break
  }
  if (best !== null) return assembly.text(best.rows, best.economy)
  // The frame alone: every part of it is ours and short, so this is reached by no budget the schema allows.
  return JSON.stringify({ answer: 'nothing fits the budget', as_of: frame.asOf, result_id: frame.resultId })
}
