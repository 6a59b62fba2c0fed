/** What an answer is based on, and whether that is enough to give one. */
import { clockOffsets } from './clocks.ts'
import type {
  ClockOffset,
  CoverageNote,
  DiagnosisCoverage,
  DiagnosisInput,
  SampledWindow,
} from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import { farClockOffsets } from './far-clocks.ts'
import type { MetricSeries } from './metric-series.ts'
import { roundTo } from './score.ts'
import { silentServices } from './sight.ts'

/** Traces per window below which counts say nothing either way. */
const minTraces = 8
/** Traces below which an answer carries a warning. */
const fewTraces = 40
/** Values of metric series per window below which nothing can have shifted. */
const minValues = 3

/** Silent services named at most: more of them are one matter, not many. */
const maxSilent = 5

/** Whether there is enough of any one kind of telemetry on both sides. */
export function enoughData(evidence: Evidence): boolean {
  const spans = evidence.window.set.traces >= minTraces && evidence.baseline.set.traces >= minTraces
  return (
    spans || (longest(evidence.windowSeries) >= minValues && longest(evidence.baselineSeries) >= minValues)
  )
}

function longest(series: ReadonlyMap<string, MetricSeries>): number {
  let most = 0
  for (const one of series.values()) most = Math.max(most, one.values.length)
  return most
}

export async function coverageOf(input: DiagnosisInput, evidence: Evidence): Promise<DiagnosisCoverage> {
  const stored = await input.reader.coverage(input.window)
  const window = sampled(evidence, 'window')
  const baseline = sampled(evidence, 'baseline')
  const empty = baseline.spans === 0 && !evidence.baselineHasMetrics
  const silent = silentServices(evidence.window.set, evidence.baseline.set, evidence.names)
  const clocks = await clocksOf(input, evidence)
  const notes: CoverageNote[] = []
  const note = (when: boolean, what: CoverageNote) => {
    if (when) notes.push(what)
  }
  note(window.spans === 0, 'no_spans')
  note(window.logRecords === 0, 'no_logs')
  note(window.metricSeries === 0, 'no_metrics')
  note(empty, 'no_baseline')
  note(!empty && baseline.spans > 0 && baseline.traces < minTraces, 'short_baseline')
  note(window.spans > 0 && Math.min(window.traces, baseline.traces) < fewTraces, 'few_traces')
  note(clocks.length > 0, 'clock_skew')
  note(silent.length > 0, 'silent_services')
  note(evidence.window.sampledAtSource || evidence.baseline.sampledAtSource, 'sampled_at_source')
  note(window.share < 1 || baseline.share < 1, 'sampled_here')
  note(stored.lagPositions > 0, 'lag')
  note(stored.corruptSegments > 0, 'corrupt_segments')
  const orphanSpans = evidence.window.set.orphans
  return {
    window,
    baseline,
    baselineOrigin: empty ? 'none' : input.baseline === null ? 'before' : 'given',
    orphanSpans,
    clocks,
    silent: silent.slice(0, maxSilent),
    absenceIsEvidence:
      stored.lagPositions === 0 &&
      stored.corruptSegments === 0 &&
      orphanSpans * 100 <= window.spans &&
      silent.length === 0,
    stored,
    notes,
  }
}

/** Near ones first: what the window itself shows is counted in more requests. */
async function clocksOf(
  { reader, deadline }: DiagnosisInput,
  { window: { set }, names }: Evidence,
): Promise<readonly ClockOffset[]> {
  const near = clockOffsets(set, names)
  const known = new Set(near.map(clock => clock.service))
  const far = await farClockOffsets(reader, { set, names }, deadline)
  return [...near, ...far.filter(clock => !known.has(clock.service))]
}

function sampled(evidence: Evidence, which: 'window' | 'baseline'): SampledWindow {
  const sample = evidence[which]
  return {
    range: sample.range,
    spans: sample.set.spans,
    traces: sample.set.traces,
    share: roundTo(sample.share, 4),
    logRecords: sample.logRecords,
    metricSeries: (which === 'window' ? evidence.windowSeries : evidence.baselineSeries).size,
  }
}
