/**
 * Says whether an answer is right. It runs as a process of its own and is the only one that opens
 * `faults.json`, so that nothing which asks the question can know what it should hear.
 *
 * `node judge.ts NAME < answer.json` prints `{"right":true|false,"why":"..."}`.
 */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { type ReadAnswer, readAnswer } from './orchestration/answer.ts'

interface Truth {
  /** Empty: nothing is wrong, and no cause may be named. */
  readonly services: readonly string[]
  readonly kinds: readonly string[]
  readonly verdicts: readonly string[]
  /** Words that the notes of the coverage must have. */
  readonly warnings?: readonly string[]
}

/** Causes up to this score are suspicions, as in the incident benchmark. */
const suspicionLimit = 0.2

const name = process.argv[2] ?? ''
const truths = JSON.parse(readFileSync(new URL('./faults.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Truth | undefined>
> // the file beside this one
const truth = truths[name]
if (truth === undefined) throw new Error(`faults.json says nothing about "${name}"`)
const problems = problemsWith(readAnswer(await text(process.stdin)), truth)
console.log(JSON.stringify({ right: problems.length === 0, why: problems.join('; ') || 'as it should be' }))

function problemsWith({ verdict, causes, notes }: ReadAnswer, expected: Truth): readonly string[] {
  const problems: string[] = []
  const oneOf = (values: readonly string[]): string => values.join(' or ')
  if (!expected.verdicts.includes(verdict)) {
    problems.push(`the verdict is ${verdict || 'missing'}, not ${oneOf(expected.verdicts)}`)
  }
  const missing = (expected.warnings ?? []).filter(word => !notes.some(note => note.includes(word)))
  if (missing.length > 0) problems.push(`the coverage does not warn of ${missing.join(', ')}`)
  const first = causes[0]
  if (expected.services.length === 0) {
    const named = causes.filter(cause => cause.score > suspicionLimit)
    if (named.length > 0) problems.push(`it blames ${named.map(cause => cause.service).join(', ')}`)
  } else if (first === undefined) {
    problems.push('it names no cause')
  } else {
    if (!expected.services.includes(first.service)) {
      problems.push(`the first cause is ${first.service}, not ${oneOf(expected.services)}`)
    }
    if (!expected.kinds.includes(first.kind)) {
      problems.push(`the kind is ${first.kind}, not ${oneOf(expected.kinds)}`)
    }
  }
  return problems
}
