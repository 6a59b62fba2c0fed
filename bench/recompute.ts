/**
 * Computes every score again from nothing but answers of `root_cause_analysis`: the features' values and weights, and the
 * bias. Imports nothing of the server's, on purpose.
 *
 *   npm run bench:incidents -- --cases DIR --answers OUT
 *   npm run bench:recompute -- --answers OUT
 *
 * Ends with 1 if a score cannot be had that way.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readOptions, refuse } from './command-line.ts'

interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

interface Answer {
  readonly facts?: { readonly verdict?: string; readonly score_bias?: number }
  readonly tables?: { readonly causes?: Table; readonly features?: Table }
}

const help = `usage: npm run bench:recompute -- --answers DIR

  --answers DIR   written by bench:incidents -- --cases DIR --answers DIR
  --help          this text

Exit code 1 if a score cannot be had from the answer alone.`
const values = readOptions(help, { answers: { type: 'string', default: '' } })
if (values.answers === '') refuse(help, 'name a folder with --answers')
let causes = 0
let wrong = 0
const files = readdirSync(values.answers).filter(name => name.endsWith('.json'))
for (const name of files.sort()) {
  const answer = JSON.parse(readFileSync(join(values.answers, name), 'utf8')) as Answer // the tool's output schema
  for (const [rank, score] of column(answer.tables?.causes, 'rank', 'score')) {
    causes++
    const again = recomputed(answer, rank ?? 0)
    if (again === score) continue
    wrong++
    console.error(`${name}: cause ${rank} has score ${score}, its features give ${again}`)
  }
}
console.log(JSON.stringify({ answers: files.length, causes, wrong }))
process.exit(wrong === 0 && causes > 0 ? 0 : 1)

/** Two columns of a table as numbers, row by row. */
function column(table: Table | undefined, first: string, second: string): readonly (readonly number[])[] {
  if (table === undefined) return []
  const at = [first, second].map(name => table.columns.indexOf(name))
  return table.rows.map(row => at.map(index => Number(row[index])))
}

/** `score = 1 / (1 + exp(-(bias + sum(value * weight))))`, three decimals. */
function recomputed(answer: Answer, rank: number): number {
  const ranks = column(answer.tables?.features, 'cause', 'cause')
  let logOdds = Number(answer.facts?.score_bias)
  for (const [i, [value = Number.NaN, weight = Number.NaN]] of column(
    answer.tables?.features,
    'value',
    'weight',
  ).entries()) {
    if (ranks[i]?.[0] === rank) logOdds += value * weight
  }
  return Math.round(1000 / (1 + Math.exp(-logOdds))) / 1000
}
