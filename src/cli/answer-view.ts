/** A tool's JSON answer as text for a person: the answer, its tables, and what it is based on. */
import { renderColumns } from './columns.ts'

interface ShownTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly untrusted?: readonly string[]
}

export interface ShownAnswer {
  readonly answer?: string
  readonly status?: string
  readonly window?: readonly string[]
  readonly baseline?: readonly string[]
  readonly facts?: Readonly<Record<string, unknown>>
  readonly tables?: Readonly<Record<string, ShownTable>>
  readonly coverage?: {
    readonly notes?: readonly string[]
    readonly items?: Readonly<Record<string, number>>
  }
  readonly omitted?: readonly {
    readonly table?: string
    readonly rows?: number
    readonly parts?: readonly string[]
  }[]
  readonly next?: readonly { readonly tool: string; readonly arguments: unknown; readonly why?: string }[]
  readonly as_of?: string
  readonly error?: {
    readonly code?: string
    readonly message?: string
    readonly field?: string
    readonly accepted?: unknown
    readonly example?: unknown
    readonly did_you_mean?: unknown
  }
}

/** Lines for a terminal; cells of untrusted columns are already fenced by the server. */
export function renderAnswer(answer: ShownAnswer): string {
  if (answer.error !== undefined) return renderError(answer.error)
  const parts: string[] = [answer.answer ?? '']
  if (answer.window !== undefined) parts.push(rangeLine('window', answer.window) + baselineOf(answer))
  if (answer.facts !== undefined) parts.push(factLines(answer.facts))
  for (const [name, table] of Object.entries(answer.tables ?? {})) {
    parts.push(`${name.replaceAll('_', ' ')}\n${renderColumns(table.columns, table.rows)}`)
  }
  parts.push(coverageLines(answer))
  return parts.filter(part => part !== '').join('\n\n')
}

function baselineOf(answer: ShownAnswer): string {
  return answer.baseline === undefined ? '' : `, ${rangeLine('compared with', answer.baseline)}`
}

function rangeLine(word: string, range: readonly string[]): string {
  return `${word} ${range[0] ?? ''} to ${range[1] ?? ''}`
}

function factLines(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join('\n')
}

function coverageLines(answer: ShownAnswer): string {
  const lines: string[] = []
  const items = Object.entries(answer.coverage?.items ?? {}).map(([signal, count]) => `${count} ${signal}`)
  if (items.length > 0) lines.push(`based on ${items.join(', ')}`)
  for (const note of answer.coverage?.notes ?? []) lines.push(`note: ${note}`)
  for (const part of answer.omitted ?? []) {
    if (part.table !== undefined) lines.push(`left out: ${part.rows ?? 0} rows of ${part.table}`)
    else if (part.parts !== undefined) lines.push(`left out: ${part.parts.join(', ')}`)
  }
  if (answer.as_of !== undefined) lines.push(`as of ${answer.as_of}`)
  return lines.join('\n')
}

function renderError(error: NonNullable<ShownAnswer['error']>): string {
  const lines = [`${error.code ?? 'error'}: ${error.message ?? ''}`]
  for (const name of ['field', 'accepted', 'example', 'did_you_mean'] as const) {
    const value = error[name]
    if (value === undefined) continue
    const label = `  ${name.replaceAll('_', ' ')}: `
    lines.push(label + wordsOf(value).join(`\n${' '.repeat(label.length)}`))
  }
  return lines.join('\n')
}

/** A list is one line each: the forms themselves hold commas. */
function wordsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(each =>
    typeof each === 'string' ? each : JSON.stringify(each),
  )
}
