/** All evidence of one question, gathered once; everything the answer says is taken from here. */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import type { RollupView } from '../../model/rollup.ts'
import type { TemplateRecord } from '../../model/store.ts'
import type { TimeRange } from '../../model/time.ts'
import { type CallShift, callShifts } from './call-counts.ts'
import { callEdges } from './call-paths.ts'
import { type Callees, type ChargeSamples, collectCharges, learnCallees } from './charge-samples.ts'
import { type EntryHurt, entryHurt } from './entry-hurt.ts'
import { type EntryTraffic, entryTraffic } from './entry-traffic.ts'
import { type ErrorOrigin, type ErrorShift, errorOrigins, errorShifts, learnWaits } from './error-origins.ts'
import { type FlowGrid, gridOf, serviceFlows } from './flow-series.ts'
import { type FlowEdge, type FlowShift, flowShifts } from './flow-shift.ts'
import { attributeGaps } from './gap-attribution.ts'
import { type Habits, learnHabits, noHabits } from './habits.ts'
import { type HasteShift, hasteShifts, learnHaste, ofWordless } from './hasty-answers.ts'
import { errorSeverity } from './log-lines.ts'
import { logRuns, templateOf, unhealthyEntries } from './log-runs.ts'
import { type MessageLoss, messageLosses } from './message-losses.ts'
import { type MetricSeries, metricSeries } from './metric-series.ts'
import { Names } from './names.ts'
import { OfferedLoad } from './offered-load.ts'
import type { Patience } from './patience.ts'
import { portsOfOneHost, withOneName } from './peer-hosts.ts'
import { replicasOf, withReplicas } from './peer-replicas.ts'
import { type ResourceShift, resourceShifts } from './resource-shift.ts'
import { readSample, type Sample } from './sampling.ts'
import { PatternPool, type Run, risenSteps } from './sequences.ts'
import { calleeOfToken, spanRuns } from './span-runs.ts'
import { type StepOrigin, stepOrigins } from './step-origins.ts'
import { type TimeShift, timeShifts } from './time-shift.ts'
import { markUnmarkedFailures } from './unmarked-failures.ts'
import { beforeWholeWindow, historyMs, stepFor } from './windows.ts'

export interface Evidence {
  readonly names: Names
  readonly window: Sample
  readonly baseline: Sample
  readonly windowView: RollupView
  readonly baselineView: RollupView
  /** Call edges of both windows. */
  readonly edges: readonly FlowEdge[]
  readonly charges: ChargeSamples
  readonly callees: Callees
  /** Requests from outside by entry service; empty if a sampler hides their rates. */
  readonly traffic: readonly EntryTraffic[]
  readonly hurt: EntryHurt
  /** Places that became slower, whatever explains it; and those with evidence of their own. */
  readonly shifts: readonly TimeShift[]
  readonly time: readonly TimeShift[]
  readonly calls: readonly CallShift[]
  readonly errors: readonly ErrorShift[]
  readonly origins: readonly ErrorOrigin[]
  readonly haste: readonly HasteShift[]
  readonly losses: readonly MessageLoss[]
  readonly steps: readonly StepOrigin[]
  readonly resources: readonly ResourceShift[]
  readonly flows: readonly FlowShift[]
  readonly flowGrid: FlowGrid
  readonly windowSeries: ReadonlyMap<string, MetricSeries>
  readonly baselineSeries: ReadonlyMap<string, MetricSeries>
  /** The service asked about as `names` and `edges` call it; null for none. */
  readonly symptom: string | null
  /** Whether the baseline itself holds any: short ones are compared with the time before the window. */
  readonly baselineHasMetrics: boolean
  /** What other days show at this time too. */
  readonly habits: Habits
  /** By number, as `LogBlock.template` has it. */
  readonly templates: ReadonlyMap<number, TemplateRecord>
}

export interface Question {
  readonly reader: TelemetryReader
  readonly window: TimeRange
  readonly baseline: TimeRange
  readonly service: string | null
  readonly deadline: Deadline
}

/**
 * Evidence of less than this many nats is not looked at. Low on purpose: weak evidence makes a weak candidate, which
 * ranks last and raises no alarm, while a fault seen in a handful of requests would be missing altogether.
 */
const minNats = 1.5
/** A processor that rose by so much, of 0 to 1, is what its process waits for. */
const exhaustedStrength = 0.25
/** Series of the baseline with fewer values than this are compared with the time before the window as well. */
const minSeriesValues = 8

export async function gatherEvidence(question: Question): Promise<Evidence> {
  const { reader, deadline, service } = question
  const windowView = await reader.rollups(question.window, stepFor(question.window))
  const before = beforeWholeWindow(question.baseline)
  const baselineView = await reader.rollups(before, stepFor(before))
  const called = callEdges([windowView, baselineView])
  const hosts = portsOfOneHost(called)
  const names = new Names(hosts)
  const windowRead = await readSample(reader, question.window, names, deadline)
  const baselineRead = await readSample(reader, question.baseline, names, deadline)
  deadline.check()
  const replicas = replicasOf([windowRead.set, baselineRead.set], names)
  const windowSample = { ...windowRead, set: withReplicas(windowRead.set, replicas) }
  const baselineSample = { ...baselineRead, set: withReplicas(baselineRead.set, replicas) }
  const known = new Map([...hosts, ...textsOf(replicas, names)])
  const edges = withOneName(called, known)
  const symptom = service === null ? null : (known.get(service) ?? service)
  const callees = learnCallees([windowSample.set, baselineSample.set])
  const haste = learnHaste(windowSample.set, baselineSample.set, callees)
  const window = { ...windowSample, set: markUnmarkedFailures(windowSample.set, haste) }
  const baseline = { ...baselineSample, set: markUnmarkedFailures(baselineSample.set, haste) }
  const charges = collectCharges(window.set, names, callees, deadline)
  const baseCharges = collectCharges(baseline.set, names, callees, deadline)
  // A sampler at the source lets nobody see how busy a place was.
  const load =
    window.sampledAtSource || baseline.sampledAtSource
      ? null
      : new OfferedLoad({ ...window, charges }, { ...baseline, charges: baseCharges })
  deadline.check()
  const context = { load, patience: deadline }
  const windowSeries = metricSeries(windowView)
  const ownSeries = metricSeries(baselineView)
  const baselineSeries = await withHistory(question, ownSeries)
  deadline.check()
  const trafficFactor = (service: string) => load?.factor(names.id(service)) ?? 1
  const resources = resourceShifts(windowSeries, baselineSeries, trafficFactor)
  const exhausted = resources.filter(({ role, strength }) => role === 'cpu' && strength >= exhaustedStrength)
  const busy = new Set(exhausted.map(({ id }) => names.id(id.service)))
  const shifts = attributeGaps(timeShifts(charges, baseCharges, context), charges, busy)
  deadline.check()
  const calls = callShifts(window.set, baseline.set, { names, callees, patience: deadline })
  const origins = errorOrigins(window.set, callees, learnWaits(window.set, baseline.set, callees))
  const errors = errorShifts(window.set, baseline.set, callees, names)
  deadline.check()
  const templates = new Map((await reader.templates()).map(template => [template.number, template]))
  const isErrorLine = (token: number) => (templateOf(names, templates, token)?.severity ?? 0) >= errorSeverity
  const hasteOfWordless = ofWordless(haste, [window, baseline])
  const wordless = hasteOfWordless.mute
  const from = { window, baseline, names, origins, callees, wordless, isErrorLine }
  const steps = findSteps({ ...from, patience: deadline })
  deadline.check()
  const time = shifts.filter(shift => shift.evidence >= minNats)
  const habits = time.length + resources.length === 0 ? noHabits : await learnHabits(question)
  const flowGrid = gridOf(windowSeries, windowView.fromMs, windowView.toMs)
  const flows = findFlows({
    baselineView,
    windowSeries,
    baselineSeries,
    flowGrid,
    edges,
    symptom,
  })
  return {
    names,
    window,
    baseline,
    windowView,
    baselineView,
    edges,
    charges,
    callees,
    traffic: entryTraffic(window, baseline),
    hurt: entryHurt(window.set, baseline.set, service => habits.slowness(names.text(service))),
    shifts,
    time,
    calls: calls.filter(shift => shift.evidence >= minNats),
    errors: errors.filter(shift => shift.evidence >= minNats),
    origins,
    haste: hasteShifts(window.set, baseline.set, hasteOfWordless).filter(shift => shift.evidence >= minNats),
    losses: messageLosses(window, baseline).filter(loss => loss.evidence >= minNats),
    steps,
    resources,
    // Spans say the same more exactly where there are any.
    flows: window.set.spans > 0 ? [] : flows,
    flowGrid,
    windowSeries,
    baselineSeries,
    symptom,
    baselineHasMetrics: ownSeries.size > 0,
    habits,
    templates,
  }
}

function textsOf(ids: ReadonlyMap<number, number>, names: Names): ReadonlyMap<string, string> {
  return new Map([...ids].map(([one, other]) => [names.text(one), names.text(other)]))
}

interface StepSources extends Pick<Evidence, 'window' | 'baseline' | 'names' | 'origins' | 'callees'> {
  readonly wordless: ReadonlySet<number>
  readonly isErrorLine: (token: number) => boolean
  readonly patience: Patience
}

function findSteps({
  window,
  baseline,
  names,
  origins,
  callees,
  wordless,
  isErrorLine,
  patience,
}: StepSources): readonly StepOrigin[] {
  const pool = new PatternPool()
  const runs = runsOf(window, names, callees, pool)
  patience.check()
  const before = runsOf(baseline, names, callees, pool)
  patience.check()
  const steps = risenSteps(runs, before, patience).filter(step => step.evidence >= minNats)
  const calleeOf = (token: number) => calleeOfToken(names, token)
  return stepOrigins(steps, runs, { set: window.set, errors: origins, isErrorLine, calleeOf, wordless })
}

function runsOf(sample: Sample, names: Names, callees: Callees, pool: PatternPool): readonly Run[] {
  const unhealthy = unhealthyEntries(sample.set, sample.lines, names)
  return [
    ...spanRuns(sample.set, names, callees, unhealthy, pool),
    ...logRuns(sample.set, sample.lines, names, unhealthy, pool),
  ]
}

/** Adds the time before the window for series whose baseline is too short to know their spread. */
async function withHistory(
  question: Question,
  baseline: ReadonlyMap<string, MetricSeries>,
): Promise<ReadonlyMap<string, MetricSeries>> {
  const { fromMs } = question.window
  const view = await question.reader.rollups(
    { fromMs: fromMs - historyMs, toMs: Math.floor(fromMs / 60_000) * 60_000 },
    60,
  )
  const series = new Map(baseline)
  for (const [key, past] of metricSeries(view)) {
    const values = baseline.get(key)?.values.length ?? 0
    if (values < minSeriesValues && past.values.length > values) series.set(key, past)
  }
  return series
}

type FlowSources = Pick<
  Evidence,
  'baselineView' | 'windowSeries' | 'baselineSeries' | 'flowGrid' | 'edges' | 'symptom'
>

function findFlows(from: FlowSources): readonly FlowShift[] {
  const { baselineView } = from
  const baseGrid = gridOf(from.baselineSeries, baselineView.fromMs, baselineView.toMs)
  const input = {
    window: serviceFlows(from.windowSeries, from.flowGrid),
    baseline: serviceFlows(from.baselineSeries, baseGrid),
    edges: from.edges,
    symptom: from.symptom,
  }
  return [...flowShifts(input, 'latency'), ...flowShifts(input, 'errors')]
}
