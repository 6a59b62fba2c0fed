/** Reads what a person or a judge wants to know out of the JSON text that `investigate` answered. */
import { field } from '../runtime/fields.ts'

export interface NamedCause {
  readonly service: string
  readonly kind: string
  readonly score: number
}

export interface ReadAnswer {
  readonly sentence: string
  readonly verdict: string
  /** Best first. */
  readonly causes: readonly NamedCause[]
  /** What the answer warns of. */
  readonly notes: readonly string[]
}

/** Throws when the text is no answer. */
export function readAnswer(json: string): ReadAnswer {
  const answer: unknown = JSON.parse(json)
  const sentence = field(answer, 'answer')
  if (typeof sentence !== 'string') throw new Error(`this is no answer: ${json.slice(0, 200)}`)
  const causes = tableRows(answer, 'causes').map(row => ({
    service: String(row['service'] ?? ''),
    kind: String(row['kind'] ?? ''),
    score: Number(row['score'] ?? 0),
  }))
  const notes = asList(field(field(answer, 'coverage'), 'notes')).map(String)
  return { sentence, verdict: String(field(field(answer, 'facts'), 'verdict') ?? ''), causes, notes }
}

/** Rows of a columnar table by column name; empty where the answer has no such table. */
export function tableRows(answer: unknown, name: string): readonly Readonly<Record<string, unknown>>[] {
  const table = field(field(answer, 'tables'), name)
  const columns = asList(field(table, 'columns')).map(String)
  return asList(field(table, 'rows')).map(row =>
    Object.fromEntries(columns.map((column, at) => [column, asList(row)[at]])),
  )
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
