import { z } from 'zod'
import { type Anomaly, findAnomalies } from '../graph/anomalies.ts'
import type { TemplateRecord } from '../model/store.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import { openTotals, openViews } from './reading/compared-views.ts'
import { withoutDailyRhythm } from './reading/daily-rhythm.ts'
import { optionalService } from './reading/service-names.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service.optional(),
  ...compared,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

function anomalyTable(anomalies: readonly Anomaly[], templates: readonly TemplateRecord[]): Table {
  const patterns = new Map(templates.map(record => [record.id, record.pattern]))
  const worst = Math.max(1, ...anomalies.map(anomaly => anomaly.affected ?? 0))
  const strongest = Math.max(...anomalies.map(anomaly => anomaly.strength))
  const first = anomalies[0]?.onsetMs ?? 0
  return {
    name: 'anomalies',
    columns: [
      { name: 'onset', kind: 'time' },
      { name: 'end', kind: 'time' },
      { name: 'service', kind: 'svc' },
      { name: 'kind', kind: 'word' },
      { name: 'of', kind: 'word' },
      { name: 'usual', kind: 'word' },
      { name: 'seen', kind: 'word' },
      { name: 'affected', kind: 'word' },
      { name: 'strength', kind: 'word' },
      { name: 'unit', kind: 'text' },
      { name: 'name', kind: 'text' },
    ],
    rows: anomalies.map(anomaly => ({
      // What came first tells most, then what most requests suffer from; certainty only decides between equals.
      importance:
        (anomaly.onsetMs === first ? 1 : 0) +
        (anomaly.affected ?? 0) / worst +
        (0.1 * anomaly.strength) / strongest,
      cells: [
        anomaly.onsetMs,
        anomaly.endMs,
        anomaly.service,
        anomaly.kind,
        anomaly.of,
        anomaly.baselineValue,
        anomaly.value,
        anomaly.affected,
        anomaly.strength,
        anomaly.unit,
        [anomaly.name, patterns.get(anomaly.name) ?? anomaly.detail].filter(text => text !== '').join(': '),
      ],
    })),
  }
}

function sentenceOf(anomalies: readonly Anomaly[]): string {
  const [first] = anomalies
  if (first === undefined) return 'Nothing became abnormal.'
  const services = new Set(anomalies.map(anomaly => anomaly.service))
  const open = anomalies.filter(anomaly => anomaly.endMs === null).length
  return `Anomalies: ${anomalies.length}, in services: ${services.size}, still open at the end: ${open}. First at ${formatTime(first.onsetMs)}: ${first.kind.replaceAll('_', ' ')} of ${showName(first.service)}.`
}

function nextOf(anomalies: readonly Anomaly[], { window }: ToolContext): readonly NextCall[] {
  const [first] = anomalies
  if (first === undefined) return []
  // A little before the onset, so that the window holds the change itself.
  const range = {
    from: formatTime(Math.max(window.fromMs, first.onsetMs - 60_000)),
    to: formatTime(window.toMs),
  }
  return [{ tool: 'investigate', arguments: range, why: 'the cause, from the first onset on' }]
}

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const service = await optionalService(args.service, reader, window)
  const views = await openViews(context)
  const sums = await openTotals(context, ['service', 'operation', 'edge'])
  const called = { window: sums.window.view, baseline: sums.baseline.view }
  const templates = await reader.templates()
  const abnormal = findAnomalies(views, {
    sums: called,
    ...(service === undefined ? {} : { service }),
    templates,
    check: () => deadline.check(),
  })
  const { anomalies, notes } = await withoutDailyRhythm(context, views, abnormal)
  const baseline = views.baselineRange
  const read = { windows: views.window.length, window_s: views.window.stepSeconds }
  const counted = (['service', 'severity', 'metric', 'edge'] as const).map(kind => ({
    now: (kind === 'severity' || kind === 'metric' ? views : called).window.series(kind, service).length,
    before: (kind === 'severity' || kind === 'metric' ? views : called).baseline.series(kind, service).length,
  }))
  if (counted.every(entry => entry.now === 0) && anomalies.length === 0) {
    const { status, because } = await explainEmptiness(reader, window, ['traces', 'logs', 'metrics'])
    return { status, answer: `No data in this window: ${because}.`, window, baseline }
  }
  const comparable = counted.some(entry => entry.before > 0)
  // A span or two of the hour before are no usual state that the rest could have left.
  const mostly = counted.every(entry => 2 * entry.before >= entry.now)
  return {
    status: anomalies.length > 0 || !comparable || !mostly ? 'ok' : 'healthy',
    answer: !comparable
      ? 'Nothing is stored for the baseline, so nothing can be called abnormal.'
      : anomalies.length > 0 || mostly
        ? sentenceOf(anomalies)
        : 'Nothing became abnormal of what the baseline holds, which is less than half of what is in the window.',
    tables: anomalies.length > 0 ? [anomalyTable(anomalies, templates)] : [],
    window,
    baseline,
    read,
    notes,
    next: nextOf(anomalies, context),
  }
}

export const getAnomalyTimeline: Tool = defineTool({
  name: 'get_anomaly_timeline',
  title: 'What became abnormal when',
  description:
    'Errors, latency, silence, log templates and metrics that left their own baseline: onset, end, usual and seen value, in order of onset.',
  input,
  examples: [{ from: 'now-1h' }, { service: 'checkout', from: '-2h', to: '-1h' }],
  maxTokens: 2_000,
  rows: 100,
  window: 'compared',
  memo: true,
  run,
})
