/**
 * Weights fitted to labelled incidents: a conditional logit over the candidates of each case and "nothing is wrong".
 * Few parameters, none below zero, drawn towards the weights that are in use, the same result in every run.
 */

/** One judged case as `bench:robustness --features` writes it. */
export interface FeatureRow {
  readonly case: string
  readonly dataset: string
  readonly fault: string
  /** The service at fault; null if nothing is wrong. */
  readonly truth: string | null
  readonly perturbation: string
  readonly candidates: readonly CandidateRow[]
}

export interface CandidateRow {
  readonly service: string
  readonly kind: string
  readonly features: Readonly<Record<string, number>>
}

export interface Weights {
  readonly bias: number
  readonly of: Readonly<Record<string, number>>
}

/** How strongly weights are drawn back, per squared relative change: one case's worth for doubling a weight. */
const pull = 1
const rounds = 400
const firstStep = 0.05

export function sumOf(features: CandidateRow['features'], weights: Weights): number {
  let sum = 0
  for (const [name, value] of Object.entries(features)) sum += (weights.of[name] ?? 0) * value
  return sum
}

/** Rows of one case share one vote, so that how often it was perturbed does not matter. */
export function fitWeights(rows: readonly FeatureRow[], start: Weights): Weights {
  const names = Object.keys(start.of).sort()
  const votes = votesOf(rows)
  let scale = Float64Array.from(names, () => 1)
  for (let round = 0; round < rounds; round++) {
    const weights = scaled(start, names, scale)
    const slope = new Float64Array(names.length)
    for (const row of rows) addSlope(slope, row, weights, { names, vote: votes.get(row.case) ?? 0 })
    const step = firstStep / (1 + round / 50)
    scale = scale.map((value, i) => {
      const weight = start.of[names[i] ?? ''] ?? 0
      const towards = (slope[i] ?? 0) * weight - 2 * pull * (value - 1)
      return Math.max(0, value + (step * towards) / (1 + Math.abs(towards)))
    })
  }
  return scaled(start, names, scale)
}

function scaled(start: Weights, names: readonly string[], scale: Float64Array): Weights {
  const of = Object.fromEntries(names.map((name, i) => [name, (start.of[name] ?? 0) * (scale[i] ?? 1)]))
  return { bias: start.bias, of }
}

function votesOf(rows: readonly FeatureRow[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const row of rows) times.set(row.case, (times.get(row.case) ?? 0) + 1)
  return new Map([...times].map(([name, count]) => [name, 1 / count]))
}

interface SlopeOptions {
  readonly names: readonly string[]
  readonly vote: number
}

/** Adds how much a little more of each weight would raise the log-likelihood of the truth. */
function addSlope(
  slope: Float64Array,
  row: FeatureRow,
  weights: Weights,
  { names, vote }: SlopeOptions,
): void {
  const odds = row.candidates.map(({ features }) => Math.exp(weights.bias + sumOf(features, weights)))
  const known = row.truth === null || row.candidates.some(({ service }) => service === row.truth)
  // A culprit without any evidence is a candidate like any service that shows none.
  const all = odds.reduce((sum, one) => sum + one, 1 + (known ? 0 : Math.exp(weights.bias)))
  for (const [c, { features, service }] of row.candidates.entries()) {
    const wrong = (odds[c] ?? 0) / all - (service === row.truth ? 1 : 0)
    for (const [i, name] of names.entries()) slope[i] = (slope[i] ?? 0) - vote * wrong * (features[name] ?? 0)
  }
}
