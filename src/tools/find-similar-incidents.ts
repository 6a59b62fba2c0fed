import { z } from 'zod'
import { findAnomalies } from '../graph/anomalies.ts'
import {
  anomalyFeature,
  groupIncidents,
  type Incident,
  incidentFeatures,
} from '../graph/similar/incidents.ts'
import { SimilarityIndex } from '../graph/similar/similarity-index.ts'
import type { TimeRange } from '../model/time.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import { type OpenedViews, openViews } from './reading/compared-views.ts'
import { withoutDailyRhythm } from './reading/daily-rhythm.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  ...compared,
  limit: fields.limit.optional(),
  ...everywhere,
})

/** History looked at if none is named: as long as rollups of a minute are read for. */
const defaultHistoryMs = 12 * 3_600_000
/** A window of up to so long asks about an incident that windows of a minute would hide, and looks as finely at history. */
const shortWindowMs = 10 * 60_000
/** History looked at then if none is named, and the longest that is read as finely: about two thousand windows. */
const shortHistoryMs = 3 * 3_600_000
const fineHistoryMs = 6 * 3_600_000
/** Below this what two incidents share is what every incident shows. */
const leastSimilarity = 0.1
/** Features shown of those an incident shares with the one asked about. */
const maxShared = 6

interface Earlier {
  readonly incident: Incident
  readonly similarity: number
  readonly shared: readonly string[]
}

function describe(feature: string, patterns: ReadonlyMap<string, string>): string {
  // A template is named by its id; its pattern says what it is.
  return feature.replace(/\b[0-9a-f]{16}\b/, id => `"${patterns.get(id) ?? id}"`)
}

function incidentTable(earlier: readonly Earlier[], patterns: ReadonlyMap<string, string>): Table {
  return {
    name: 'incidents',
    columns: [
      { name: 'similarity', kind: 'word' },
      { name: 'from', kind: 'time' },
      { name: 'to', kind: 'time' },
      { name: 'anomalies', kind: 'word' },
      { name: 'first_service', kind: 'svc' },
      { name: 'shared', kind: 'text' },
    ],
    rows: earlier.map(({ incident, similarity, shared }, at) => ({
      importance: -at,
      cells: [
        similarity,
        incident.fromMs,
        incident.toMs,
        incident.anomalies.length,
        incident.anomalies[0]?.service ?? '',
        shared
          .slice(0, maxShared)
          .map(feature => describe(feature, patterns))
          .join('; '),
      ],
    })),
    paged: false,
  }
}

interface Compared {
  /** What is abnormal in the window, against the history. */
  readonly now: Incident | null
  /** Times at which the history itself was; by time. */
  readonly before: readonly Incident[]
  readonly views: OpenedViews
}

async function incidentsOf(context: ToolContext, history: TimeRange): Promise<Compared> {
  const { reader, window, deadline, similarEntries } = context
  const fine = isShort(window) && history.toMs - history.fromMs <= fineHistoryMs
  const views = await openViews({ ...context, baseline: history }, fine ? 10 : undefined)
  const options = { templates: await reader.templates(), check: () => deadline.check() }
  const { anomalies } = await withoutDailyRhythm(context, views, findAnomalies(views, options))
  // Incidents are rare, so the whole history is what each part of it is compared with.
  const earlier = findAnomalies({ window: views.baseline, baseline: views.baseline }, options)
  const beganBefore = earlier.filter(one => one.onsetMs < views.baselineRange.toMs)
  return {
    now: anomalies.length === 0 ? null : { fromMs: window.fromMs, toMs: window.toMs, anomalies },
    before: groupIncidents(beganBefore, 2_000 * views.baseline.stepSeconds).slice(-similarEntries),
    views,
  }
}

function isShort({ fromMs, toMs }: TimeRange): boolean {
  return toMs - fromMs <= shortWindowMs
}

function nextOf([best]: readonly Earlier[]): readonly NextCall[] {
  if (best?.incident.toMs == null) return []
  return [
    {
      tool: 'investigate',
      arguments: { from: formatTime(best.incident.fromMs), to: formatTime(best.incident.toMs) },
      why: 'the cause of the most similar incident',
    },
  ]
}

async function run(_args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const backMs = isShort(window) ? shortHistoryMs : defaultHistoryMs
  const history = context.baseline ?? { fromMs: window.fromMs - backMs, toMs: window.fromMs }
  const templates = await reader.templates()
  const { now, before, views } = await incidentsOf(context, history)
  deadline.check()
  if (now === null) {
    if ((['service', 'severity', 'metric'] as const).some(kind => views.window.series(kind).length > 0))
      return {
        status: 'healthy',
        answer: 'Nothing in this window is abnormal against its own history, so there is nothing to compare.',
        window,
        baseline: history,
      }
    const { status, because } = await explainEmptiness(reader, window, ['traces', 'logs', 'metrics'])
    return { status, answer: `No data in this window: ${because}.`, window, baseline: history }
  }
  const own = incidentFeatures(now)
  const index = new SimilarityIndex(before.map(incidentFeatures))
  const fine = new Set(now.anomalies.map(anomalyFeature))
  const earlier = index.search(own, leastSimilarity).flatMap(({ at, similarity }): Earlier[] => {
    const incident = before[at]
    if (incident === undefined) return []
    const shared = [...new Set(incident.anomalies.map(anomalyFeature))].filter(feature => fine.has(feature))
    return [{ incident, similarity, shared }]
  })
  const patterns = new Map(templates.map(record => [record.id, record.pattern]))
  const [best] = earlier
  return {
    status: 'ok',
    answer:
      best === undefined
        ? `None of ${before.length} earlier incidents resembles this one.`
        : `${earlier.length} of ${before.length} earlier incidents resemble this one; the most similar (${best.similarity}) began at ${formatTime(best.incident.fromMs)}.`,
    tables: earlier.length === 0 ? [] : [incidentTable(earlier, patterns)],
    window,
    baseline: history,
    read: { anomalies: now.anomalies.length, window_s: views.window.stepSeconds },
    notes: [
      'an incident: anomalies that overlap in time; similar: the same things moved in the same direction',
    ],
    next: nextOf(earlier),
  }
}

export const findSimilarIncidents: Tool = defineTool({
  name: 'find_similar_incidents',
  title: 'Earlier incidents like this one',
  description:
    'Earlier times at which the same services, operations, log templates or metrics became abnormal as in this window. baseline_from and baseline_to name the history to search; default the twelve hours before, three for a window of minutes.',
  input,
  examples: [{ from: 'now-30m' }, { from: 'now-30m', baseline_from: 'now-7d', baseline_to: 'now-30m' }],
  maxTokens: 2_000,
  rows: 20,
  window: 'compared',
  memo: false,
  run,
})
