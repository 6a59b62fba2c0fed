/** What a tool hands over: everything it found. The assembler decides what fits and makes it safe to show. */
import type { TimeRange } from '../../model/time.ts'

/**
 * What the cells of a column are, which decides how they are shown:
 * - `word`: our own words, and numbers as they are; a string that is no plain name is shown as its hash
 * - `svc`, `op`, `metric`, `name`: names out of telemetry; not plain ones are shown as `svc:<hash>` and so on
 * - `id`: hexadecimal ids
 * - `time`: milliseconds since the epoch, shown as UTC
 * - `text`: written by strangers; fenced, cut, and the column is listed as untrusted
 */
export type ColumnKind = 'word' | 'svc' | 'op' | 'metric' | 'name' | 'id' | 'time' | 'text'

export interface Column {
  /** Snake case, with the unit at its end. */
  readonly name: string
  readonly kind: ColumnKind
}

export type Cell = string | number | boolean | null | readonly (string | number)[]

export interface Row {
  readonly cells: readonly Cell[]
  /** What goes first when not everything fits: larger stays longer. Ties keep the order of the table. */
  readonly importance: number
}

export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  /** In the order they are to be shown. */
  readonly rows: readonly Row[]
  /** Rows there are besides these, which the tool counted but did not keep. */
  readonly more?: number
  /** Whether the rest can be fetched with a cursor; default true. */
  readonly paged?: boolean
}

export type Status = 'ok' | 'nothing_in_window' | 'past_retention' | 'not_kept' | 'healthy'

export interface NextCall {
  readonly tool: string
  /** Complete; names as `showName` gives them, times absolute. */
  readonly arguments: Readonly<Record<string, unknown>>
  /** Our words. */
  readonly why: string
}

/** Numbers and our own words; names only through `showName`. */
export type Fact = string | number | boolean | null | readonly (string | number | null)[]

export interface Draft {
  readonly status: Status
  /** The answer in one or two sentences of our words, numbers and names through `showName`. */
  readonly answer: string
  readonly facts?: Readonly<Record<string, Fact>>
  readonly tables?: readonly Table[]
  /** The effective window; absent where the question has none (one trace). */
  readonly window?: TimeRange
  readonly baseline?: TimeRange | null
  /** Without a window: the time the evidence lies in, which decides whether an `as_of` still holds. */
  readonly touched?: TimeRange
  /** What was read for it, by name: `spans`, `log_records`, `share_pct`. */
  readonly read?: Readonly<Record<string, number>>
  /** Words about what the answer rests on, besides what the frame adds. */
  readonly notes?: readonly string[]
  readonly next?: readonly NextCall[]
}

/**
 * What the answer is based on, as shown. Only what the data of the window decides, and what is wrong: figures
 * that move with later data or with merging would make the same answer at the same position differ.
 */
export interface ShownCoverage {
  readonly lag_ms?: number
  readonly corrupt_items?: number
  readonly notes?: readonly string[]
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }
