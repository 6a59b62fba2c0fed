/** Arguments as sent against a tool's schema; every refusal says what would be taken. */
import type { z } from 'zod'
import { nearMatches } from './near-matches.ts'
import { ArgumentProblem } from './problem.ts'
import { timeForms } from './time-argument.ts'

export interface ArgumentForm<S extends z.ZodObject> {
  readonly input: S
  readonly examples: readonly Readonly<Record<string, unknown>>[]
}

const timeFields = new Set(['from', 'to', 'baseline_from', 'baseline_to'])

function acceptedForms(issue: z.core.$ZodIssue, field: string): readonly string[] {
  if (timeFields.has(field)) return timeForms
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map(String)
    case 'invalid_type':
      return [issue.expected]
    case 'too_small':
      return [`at least ${String(issue.minimum)}${issue.origin === 'string' ? ' characters' : ''}`]
    case 'too_big':
      return [`at most ${String(issue.maximum)}${issue.origin === 'string' ? ' characters' : ''}`]
    case 'invalid_format':
      return [issue.message]
    default:
      return []
  }
}

function exampleOf(form: ArgumentForm<z.ZodObject>, field: string): unknown {
  return form.examples.find(example => field in example)?.[field]
}

function problemOf(form: ArgumentForm<z.ZodObject>, issue: z.core.$ZodIssue, args: unknown): ArgumentProblem {
  const names = Object.keys(form.input.shape)
  if (issue.code === 'unrecognized_keys') {
    const [unknown = ''] = issue.keys
    return new ArgumentProblem(
      'unknown_argument',
      `${issue.keys.length} argument(s) this tool does not take`,
      {
        field: unknown.replace(/[^\w.-]/g, '?').slice(0, 60),
        accepted: names,
        near: nearMatches(unknown, names),
        ...(form.examples[0] === undefined ? {} : { example: form.examples[0] }),
      },
    )
  }
  const field = String(issue.path[0] ?? '')
  if (field === '') {
    return new ArgumentProblem('invalid_argument', 'arguments must be an object', { accepted: names })
  }
  const missing = typeof args === 'object' && args !== null && !(field in args)
  const example = exampleOf(form, field)
  return new ArgumentProblem(
    missing ? 'missing_argument' : 'invalid_argument',
    missing ? `${field} is required` : `${field} is not of a form this tool takes`,
    { field, accepted: acceptedForms(issue, field), ...(example === undefined ? {} : { example }) },
  )
}

/** The parsed arguments; throws ArgumentProblem for the first thing wrong. Absent arguments are none. */
export function parseArguments<S extends z.ZodObject>(form: ArgumentForm<S>, args: unknown): z.output<S> {
  const given = args ?? {}
  const result = form.input.safeParse(given)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue === undefined) throw new ArgumentProblem('invalid_argument', 'arguments are not taken')
  throw problemOf(form, issue, given)
}
