/**
 * Fits the weights of the diagnosis to judged cases, leaving out whole systems and whole (fault kind, service) groups,
 * and reports on what was left out, beside the weights in use.
 *
 *   npm run bench:robustness -- --cases DIR --quiet-windows --features FILE
 *   npm run bench:fit -- --features FILE
 *
 * One JSON line per way of leaving out and set of weights. What is counted is the ranking and the firmness that follow
 * from the sums; perturbed cases are only fitted on, plain ones and quiet windows are reported.
 */
import { readFileSync } from 'node:fs'
import { bias, weights as inUse } from '../src/graph/diagnosis/score.ts'
import { firmLead } from '../src/graph/diagnosis/verdict.ts'
import { readOptions, refuse } from './command-line.ts'
import { type FeatureRow, fitWeights, sumOf, type Weights } from './incidents/weight-fit.ts'

const help = `usage: npm run bench:fit -- --features FILE

  --features FILE   written by bench:robustness -- --cases DIR --quiet-windows --features FILE
  --help            this text`
const values = readOptions(help, { features: { type: 'string', default: '' } })
if (values.features === '') refuse(help, 'name a file with --features')
const rows = readFileSync(values.features, 'utf8')
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line) as FeatureRow) // written by bench:robustness
const start: Weights = { bias, of: inUse }

/** A quiet window belongs to the group of the case that it was cut from. */
const baseOf = (name: string): string => name.replace(/-quiet-\d+$/, '')
const truths = new Map(rows.filter(row => row.truth !== null).map(row => [row.case, row]))

function groupOf(row: FeatureRow): string {
  const { dataset, fault, truth } = truths.get(baseOf(row.case)) ?? row
  return `${dataset} ${fault} ${truth}`
}

interface Tally {
  faults: number
  right: number
  firm: number
  firmRight: number
  quiet: number
  alarms: number
}

function countRow(row: FeatureRow, weights: Weights, tally: Tally): void {
  const ranked = row.candidates
    .map(({ service, features }) => ({ service, sum: sumOf(features, weights) }))
    .sort((a, b) => b.sum - a.sum || (a.service < b.service ? -1 : 1))
  const first = ranked[0]
  const firm = first !== undefined && first.sum >= -bias && first.sum - (ranked[1]?.sum ?? 0) >= firmLead
  if (row.truth === null) {
    tally.quiet++
    if (firm || (first !== undefined && 1 / (1 + Math.exp(-bias - first.sum)) > 0.2)) tally.alarms++
    return
  }
  tally.faults++
  if (first?.service === row.truth) tally.right++
  if (firm) tally.firm++
  if (firm && first?.service === row.truth) tally.firmRight++
}

function report(leftOut: string, keyOf: (row: FeatureRow) => string): void {
  const tallies = new Map<string, Tally>()
  const add = (set: string, row: FeatureRow, weights: Weights) => {
    for (const dataset of ['all', row.dataset]) {
      const key = `${set} ${dataset}`
      const tally = tallies.get(key) ?? { faults: 0, right: 0, firm: 0, firmRight: 0, quiet: 0, alarms: 0 }
      tallies.set(key, tally)
      countRow(row, weights, tally)
    }
  }
  for (const key of [...new Set(rows.map(keyOf))].sort()) {
    const fitted = fitWeights(
      rows.filter(row => keyOf(row) !== key),
      start,
    )
    for (const row of rows.filter(one => keyOf(one) === key)) {
      if (row.perturbation !== 'plain' && row.perturbation !== 'quiet') continue
      add('fitted', row, fitted)
      add('in use', row, start)
    }
  }
  for (const [key, tally] of [...tallies].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
    console.log(JSON.stringify({ left_out: leftOut, weights: key, ...tally }))
  }
}

report('systems', row => row.dataset)
report('(fault kind, service) groups', groupOf)
const all = fitWeights(rows, start)
const rounded = Object.entries(all.of).map(([name, weight]) => [name, Math.round(weight * 10) / 10])
console.log(JSON.stringify({ fitted_on: 'all', bias: all.bias, weights: Object.fromEntries(rounded) }))
