/** Scores answers against labels: AC@k, Avg@5, firmness and alarms, with n and intervals. */
import type { Label } from './cases.ts'
import type { EarlierAnswer, Investigated } from './question.ts'

export interface Scored {
  readonly name: string
  readonly dataset: string
  readonly label: Label
  readonly answer: Pick<Investigated, 'verdict' | 'causes'>
  /** The same question asked earlier, in order; empty if nobody did. */
  readonly earlier: readonly EarlierAnswer[]
}

export interface Summary {
  readonly group: string
  readonly n: number
  readonly ac1: number
  /** Wilson interval of ac1 at 95 %. */
  readonly ac1_low: number
  readonly ac1_high: number
  readonly ac3: number
  readonly avg5: number
  readonly firm_share: number
  /** AC@1 among firm answers; null if there are none. */
  readonly ac1_firm: number | null
  readonly called_healthy: number
  /** Cases whose answer was firm and right from some time on, and the median of that time; see `detectedAt`. */
  readonly detected?: number
  readonly seconds_to_detect?: number | null
}

export interface ControlSummary {
  readonly group: string
  readonly n: number
  readonly alarms: number
  /** Wilson interval of their share at 95 %. */
  readonly share_low: number
  readonly share_high: number
  readonly called_healthy: number
}

/** What is true of a window in which nothing is wrong. */
export const faultFree: Label = { service: null, fault: 'none', also: [] }

/** A cause above this score is an alarm on a control, firm or not. */
const alarmScore = 0.2

const isFirm = ({ verdict }: { readonly verdict: string }): boolean =>
  verdict === 'confirmed' || verdict === 'likely'

/** Something without telemetry may be named with the port that its callers see, or by its kind and its host. */
export const isTrue = ({ service, also }: Label, named: string | undefined): boolean => {
  const name = named?.replace(/:\d+$/, '') ?? ''
  const host = name.slice(name.indexOf('/') + 1)
  return name !== '' && (name === service || host === service || also.includes(name))
}

/** Per dataset, then per dataset and fault kind; controls apart. */
export function summarise(scored: readonly Scored[]): readonly (Summary | ControlSummary)[] {
  const faults = scored.filter(each => each.label.service !== null)
  const controls = scored.filter(each => each.label.service === null)
  const lines: (Summary | ControlSummary)[] = []
  for (const [group, cases] of groups(faults, each => each.dataset)) lines.push(summaryOf(group, cases))
  for (const [group, cases] of groups(faults, each => `${each.dataset}/${each.label.fault}`)) {
    lines.push(summaryOf(group, cases))
  }
  if (controls.length > 0) {
    lines.push(controlsOf('controls', controls))
    const datasets = groups(controls, each => each.dataset)
    if (datasets.length > 1) {
      for (const [dataset, cases] of datasets) lines.push(controlsOf(`${dataset}/controls`, cases))
    }
  }
  return lines
}

/** Fault-free windows: all, then per dataset. */
export function summariseControls(scored: readonly Scored[]): readonly ControlSummary[] {
  const datasets = groups(scored, each => each.dataset)
  return [
    controlsOf('quiet windows', scored),
    ...datasets.map(([group, windows]) => controlsOf(group, windows)),
  ]
}

function controlsOf(group: string, controls: readonly Scored[]): ControlSummary {
  const n = controls.length
  const alarms = controls.filter(
    ({ answer }) => isFirm(answer) || answer.causes.some(cause => cause.score > alarmScore),
  ).length
  const [low, high] = wilson(alarms, n)
  const healthy = controls.filter(({ answer }) => answer.verdict === 'healthy').length
  return { group, n, alarms, share_low: round(low), share_high: round(high), called_healthy: healthy }
}

/** Seconds after which the answer was firm and right and stayed so; null if it was not so in the end. */
function detectedAt({ earlier, label }: Scored): number | null {
  const good = (answer: EarlierAnswer): boolean => isFirm(answer) && isTrue(label, answer.first)
  const lastBad = earlier.findLastIndex(answer => !good(answer))
  return earlier[lastBad + 1]?.seconds ?? null
}

function groups(
  scored: readonly Scored[],
  keyOf: (each: Scored) => string,
): readonly (readonly [string, readonly Scored[]])[] {
  const found = new Map<string, Scored[]>()
  for (const each of scored) {
    const list = found.get(keyOf(each))
    if (list === undefined) found.set(keyOf(each), [each])
    else list.push(each)
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
}

function summaryOf(group: string, cases: readonly Scored[]): Summary {
  const n = cases.length
  const ranks = cases.map(({ answer, label }) =>
    answer.causes.findIndex(cause => isTrue(label, cause.service)),
  )
  const within = (k: number) => ranks.filter(rank => rank >= 0 && rank < k).length
  const firm = cases.filter(({ answer }) => isFirm(answer))
  const firmRight = firm.filter(({ answer, label }) => isTrue(label, answer.causes[0]?.service))
  const [low, high] = wilson(within(1), n)
  return {
    group,
    n,
    ac1: round(within(1) / n),
    ac1_low: round(low),
    ac1_high: round(high),
    ac3: round(within(3) / n),
    avg5: round([1, 2, 3, 4, 5].reduce((sum, k) => sum + within(k), 0) / (5 * n)),
    firm_share: round(firm.length / n),
    ac1_firm: firm.length === 0 ? null : round(firmRight.length / firm.length),
    called_healthy: cases.filter(each => each.answer.verdict === 'healthy').length,
    ...detectionOf(cases),
  }
}

function detectionOf(cases: readonly Scored[]): Pick<Summary, 'detected' | 'seconds_to_detect'> {
  if (cases.every(each => each.earlier.length === 0)) return {}
  const times = cases
    .map(detectedAt)
    .filter(seconds => seconds !== null)
    .sort((a, b) => a - b)
  return { detected: times.length, seconds_to_detect: times[(times.length - 1) >> 1] ?? null }
}

/** Wilson score interval at 95 % (Wilson, 1927). */
export function wilson(hits: number, n: number): readonly [number, number] {
  const z = 1.96
  const share = hits / n
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
