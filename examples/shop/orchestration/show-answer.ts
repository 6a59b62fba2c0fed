/** An answer as lines of text for people: the sentence, the facts, each table, what it rests on. */
import { field } from '../runtime/fields.ts'
import { tableRows } from './answer.ts'

/** Rows of one table that fit a screen; the JSON has them all. */
const shownRows = 5
const shownCharacters = 100

export function showAnswer(json: string): readonly string[] {
  const answer: unknown = JSON.parse(json)
  const lines = [String(field(answer, 'answer'))]
  const facts = field(answer, 'facts')
  if (typeof facts === 'object' && facts !== null) lines.push(`facts: ${compact(facts)}`)
  const tables = field(answer, 'tables')
  for (const name of typeof tables === 'object' && tables !== null ? Object.keys(tables) : []) {
    const rows = tableRows(answer, name)
    lines.push(`${name}:`)
    for (const row of rows.slice(0, shownRows)) lines.push(`  ${showRow(row)}`)
    if (rows.length > shownRows) lines.push(`  and ${rows.length - shownRows} more`)
  }
  lines.push(`coverage: ${compact(field(answer, 'coverage'))}`)
  return lines
}

function showRow(row: Readonly<Record<string, unknown>>): string {
  return Object.entries(row)
    .filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([column, value]) => `${column} ${compact(value)}`)
    .join(', ')
}

function compact(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text
}
