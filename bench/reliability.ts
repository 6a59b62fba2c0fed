/**
 * Whether scores mean something: of all causes that got about so high a score, the share that was the true one.
 *
 *   npm run bench:robustness -- --cases DIR --quiet-windows --features FILE
 *   npm run bench:reliability -- --features FILE --svg docs/reliability.svg
 *
 * Counts every candidate of every judged case, fault-free windows included. One JSON line per range of scores.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { bias, roundTo, weights } from '../src/graph/diagnosis/score.ts'
import { readOptions, refuse } from './command-line.ts'
import { wilson } from './incidents/score.ts'
import { type FeatureRow, sumOf } from './incidents/weight-fit.ts'

const help = `usage: npm run bench:reliability -- --features FILE [--svg FILE]

  --features FILE   written by bench:robustness -- --cases DIR --quiet-windows --features FILE
  --svg FILE        draws the diagram there
  --help            this text`
const values = readOptions(help, {
  features: { type: 'string', default: '' },
  svg: { type: 'string', default: '' },
})
if (values.features === '') refuse(help, 'name a file with --features')

interface Bin {
  readonly from: number
  readonly to: number
  candidates: number
  true: number
  scores: number
}

/** Narrow where most candidates are. */
const edges = [0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1]
const bins = edges
  .slice(1)
  .map((to, i): Bin => ({ from: edges[i] ?? 0, to, candidates: 0, true: 0, scores: 0 }))

for (const line of readFileSync(values.features, 'utf8').split('\n')) {
  if (line === '') continue
  const { candidates, truth } = JSON.parse(line) as FeatureRow // written by bench:robustness
  for (const { service, features } of candidates) {
    const score = 1 / (1 + Math.exp(-bias - sumOf(features, { bias, of: weights })))
    const bin = bins.find(one => score < one.to) ?? bins.at(-1)
    if (bin === undefined) continue
    bin.candidates++
    bin.scores += score
    if (service === truth) bin.true++
  }
}
const filled = bins.filter(bin => bin.candidates > 0)
const lines = filled.map(({ from, to, candidates, true: right, scores }) => {
  const [low, high] = wilson(right, candidates)
  const [mean, share, low95, high95] = [scores / candidates, right / candidates, low, high].map(one =>
    roundTo(one, 3),
  )
  return { from, to, candidates, mean_score: mean, true_share: share, low: low95, high: high95 }
})
for (const line of lines) console.log(JSON.stringify(line))
if (values.svg !== '') writeFileSync(values.svg, svg())

/** Scores to the right, shares upwards; the diagonal is where a score is exactly a chance. */
function svg(): string {
  const size = 360
  const edge = 50
  const x = (value: number) => roundTo(edge + value * size, 1)
  const y = (value: number) => roundTo(edge + (1 - value) * size, 1)
  const marks = lines.map(({ mean_score = 0, true_share = 0, low = 0, high = 0, candidates }) =>
    [
      `<line x1="${x(mean_score)}" y1="${y(low)}" x2="${x(mean_score)}" y2="${y(high)}" stroke="#36c"/>`,
      `<circle cx="${x(mean_score)}" cy="${y(true_share)}" r="4" fill="#36c"><title>${candidates} candidates</title></circle>`,
    ].join('\n'),
  )
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap(at => [
    `<text x="${x(at)}" y="${edge + size + 18}" text-anchor="middle">${at}</text>`,
    `<text x="${edge - 8}" y="${y(at) + 4}" text-anchor="end">${at}</text>`,
  ])
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size + 2 * edge} ${size + 2 * edge}" font-family="sans-serif" font-size="12" role="img" aria-label="share of candidates that were the true cause, over their score">
<rect width="100%" height="100%" fill="#fff"/>
<rect x="${edge}" y="${edge}" width="${size}" height="${size}" fill="none" stroke="#999"/>
<line x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}" stroke="#999" stroke-dasharray="4 4"/>
${marks.join('\n')}
${ticks.join('\n')}
<text x="${edge + size / 2}" y="${size + 2 * edge - 8}" text-anchor="middle">mean score of a range</text>
<text x="14" y="${edge + size / 2}" text-anchor="middle" transform="rotate(-90 14 ${edge + size / 2})">share that was the true cause</text>
</svg>
`
}
