/** What `investigate` and `root_cause_analysis` share: the diagnosis, its sentence, its handles. */
import { diagnose } from '../../graph/diagnosis/diagnose.ts'
import type { DecidingObservation, Diagnosis } from '../../graph/diagnosis/diagnosis.ts'
import type { TelemetryReader } from '../../model/reader.ts'
import type { TimeRange } from '../../model/time.ts'
import type { Fact, NextCall, Status } from '../answer/draft.ts'
import { explainEmptiness } from '../answer/show-coverage.ts'
import { formatTime } from '../arguments/time-argument.ts'
import { showName } from '../text/name.ts'
import type { ToolContext } from '../tool.ts'
import { causeWords } from './diagnosis-tables.ts'
import { isService, requireServiceOrDestination } from './service-names.ts'

export interface RunDiagnosis {
  readonly diagnosis: Diagnosis
  readonly status: Status
  readonly sentence: string
  readonly facts: Readonly<Record<string, Fact>>
}

interface WindowWords {
  readonly from: string
  readonly to: string
}

function times(diagnosis: Diagnosis): WindowWords {
  return { from: formatTime(diagnosis.window.fromMs), to: formatTime(diagnosis.window.toMs) }
}

/** The largest change of what comes from outside, as a sentence; empty while it is what it was. */
function trafficSentence({ traffic, causes }: Diagnosis): string {
  const [largest] = traffic
  if (largest === undefined) return ''
  const { service, beforePerS, nowPerS } = largest
  const rose = nowPerS > beforePerS
  const harmless =
    rose && causes.length === 0 ? '; what became slower by that stays within what load explains' : ''
  return ` Traffic at ${showName(service)} ${rose ? 'rose' : 'fell'} from ${beforePerS} to ${nowPerS} requests/s${harmless}.`
}

function firmSentence(diagnosis: Diagnosis): string {
  const [first, second] = diagnosis.causes
  if (first === undefined) {
    return `Inconclusive: requests are slower than the baseline's tail, and no place stands out.${trafficSentence(diagnosis)}`
  }
  const since = first.onsetMs === null ? '' : ` since ${formatTime(first.onsetMs)}`
  const strongest = first.features
    .toSorted((a, b) => b.value * b.weight - a.value * a.weight || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(feature => feature.name)
    .join(', ')
  const callers = diagnosis.blastRadius.services.filter(entry => entry.service !== first.location.service)
  const entries = callers.filter(entry => entry.entryPoint).map(entry => showName(entry.service))
  const hit =
    callers.length === 0
      ? ''
      : ` ${callers.length} ${callers.length === 1 ? 'service calls' : 'services call'} it${entries.length > 0 ? `, entry points ${entries.slice(0, 3).join(', ')}` : ''}.`
  const runnerUp = second === undefined ? '' : ` Next: ${causeWords(second)} (${second.score}).`
  const sure =
    diagnosis.verdict === 'inconclusive'
      ? 'Inconclusive'
      : diagnosis.verdict === 'likely'
        ? 'Likely'
        : 'Confirmed'
  return `${sure}: ${causeWords(first)}${since} (score ${first.score}; ${strongest}).${orderSentence(diagnosis)}${hit}${runnerUp}${trafficSentence(diagnosis)}`
}

/** Services told of in the order they moved. */
const maxMoved = 4

/** ` Then: checkout +2 s through payment.`: who followed the first cause, and through whom; empty for nobody. */
function orderSentence({ causes, onsets }: Diagnosis): string {
  const first = causes[0]?.location.service
  const begun = onsets.find(onset => onset.service === first)
  const followed = onsets.filter(onset => onset.through !== '' && onset.afterMs !== null)
  if (begun === undefined || followed.length === 0) return ''
  const steps = followed.slice(0, maxMoved).map(({ service, afterMs, through }) => {
    const seconds = Math.round((afterMs ?? 0) / 1_000)
    return `${showName(service)} ${seconds < 0 ? '' : '+'}${seconds} s through ${showName(through)}`
  })
  const more = followed.length - steps.length
  return ` Then: ${steps.join(', ')}${more > 0 ? `, ${more} more` : ''}.`
}

/** Runs it and says what came out. Throws ArgumentProblem for an unknown service. */
export async function runDiagnosis(
  named: string | undefined,
  context: Pick<ToolContext, 'reader' | 'window' | 'baseline' | 'deadline'>,
): Promise<RunDiagnosis> {
  const { reader, window, baseline, deadline } = context
  const service =
    named === undefined ? null : await requireServiceOrDestination(named, reader, window, deadline)
  const diagnosis = await diagnose({ reader, window, baseline, service, deadline })
  const { verdict } = diagnosis
  const first = diagnosis.causes[0]
  const facts = {
    verdict,
    ...(first === undefined
      ? {}
      : { first_cause: showName(first.location.service), score_bias: diagnosis.bias }),
    baseline_origin: diagnosis.coverage.baselineOrigin,
  }
  if (verdict === 'healthy') {
    const { spans, metricSeries } = diagnosis.coverage.window
    const sentence = `Healthy: ${spans} spans and ${metricSeries} metric series show nothing beyond what the baseline itself shows.${trafficSentence(diagnosis)}`
    return { diagnosis, status: 'healthy', sentence, facts }
  }
  if (verdict !== 'insufficient_data')
    return { diagnosis, status: 'ok', sentence: firmSentence(diagnosis), facts }
  const { window: read, baseline: before } = diagnosis.coverage
  const nothing = read.spans === 0 && read.logRecords === 0 && read.metricSeries === 0
  const emptiness = nothing ? await explainEmptiness(reader, window, ['traces', 'logs', 'metrics']) : null
  const reason =
    emptiness === null
      ? `${read.spans} spans in the window and ${before.spans} in the baseline are too few to compare${await wayOn(reader, window, before.spans)}`
      : `the window holds nothing; ${emptiness.because}`
  return {
    diagnosis,
    status: emptiness?.status ?? 'ok',
    sentence: `Insufficient data: ${reason}.`,
    facts,
  }
}

function givenBaseline({ coverage, baseline }: Diagnosis): Readonly<Record<string, string>> {
  if (coverage.baselineOrigin !== 'given' || baseline === null) return {}
  return { baseline_from: formatTime(baseline.fromMs), baseline_to: formatTime(baseline.toMs) }
}

function decidingCall(deciding: DecidingObservation, diagnosis: Diagnosis): NextCall {
  const { look } = deciding
  const why =
    deciding.second === ''
      ? `shows whether ${showName(deciding.first)} is more than chance`
      : `decides between ${showName(deciding.first)} and ${showName(deciding.second)}`
  const window = times(diagnosis)
  switch (look.at) {
    case 'trace':
      return { tool: 'get_trace', arguments: { trace_id: look.traceId, include: ['logs'] }, why }
    case 'metric':
      return {
        tool: 'query_metrics',
        arguments: { service: showName(look.service), metric: showName(look.metric, 'metric'), ...window },
        why,
      }
    case 'logs':
      return {
        tool: 'search_logs',
        arguments: { service: showName(look.service), severity: 'warn', templates: true, ...window },
        why,
      }
    case 'edge':
      return {
        tool: 'get_service_map',
        arguments: { service: showName(look.callee), depth: 1, ...window },
        why,
      }
    case 'wider_window':
      return {
        tool: 'investigate',
        arguments: {
          from: formatTime(look.window.fromMs),
          to: formatTime(look.window.toMs),
          ...givenBaseline(diagnosis),
        },
        why,
      }
    default:
      return look satisfies never
  }
}

/** At most three calls that go on from here; none from a final answer. */
export async function nextCalls(
  { diagnosis, status }: RunDiagnosis,
  { reader, window }: Pick<ToolContext, 'reader' | 'window'>,
): Promise<readonly NextCall[]> {
  const first = diagnosis.causes[0]
  if (status !== 'ok' || first === undefined) return []
  const calls: NextCall[] = []
  const { deciding } = diagnosis
  const isAskable = async (name: string): Promise<boolean> => isService(name, reader, window)
  if (deciding !== null && (deciding.look.at !== 'edge' || (await isAskable(deciding.look.callee))))
    calls.push(decidingCall(deciding, diagnosis))
  const exemplar = diagnosis.exemplars[0]
  if (exemplar !== undefined) {
    calls.push({
      tool: 'get_trace',
      arguments: { trace_id: exemplar.traceId, include: ['logs'] },
      why: 'the trace that shows the most common failure shape',
    })
  }
  const { service } = first.location
  if (await isAskable(service)) {
    calls.push({
      tool: 'get_service_health',
      arguments: { service: showName(service), ...times(diagnosis) },
      why: 'the first cause against its own baseline',
    })
  }
  return calls.slice(0, 3)
}

/** With nothing before a window that reaches back to the first data, a later start leaves something to compare with. */
async function wayOn(reader: TelemetryReader, window: TimeRange, spansBefore: number): Promise<string> {
  const { oldestMs } = await reader.coverage(window)
  if (spansBefore > 0 || oldestMs === null || oldestMs < window.fromMs) return ''
  return `; the oldest data is of ${formatTime(oldestMs)}: let from be later, so that healthy time lies before it`
}
