import { z } from 'zod'
import type { MetricEntry } from '../model/telemetry.ts'
import type { TimeRange } from '../model/time.ts'
import { type Catalog, listMetrics, type MetricSummary } from '../store/metrics/metric-catalog.ts'
import {
  type Aggregation,
  type MetricAnswer,
  type MetricGroup,
  queryMetric,
} from '../store/metrics/metric-query.ts'
import type { Draft, NextCall, Row, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { nearMatches } from './arguments/near-matches.ts'
import { ArgumentProblem } from './arguments/problem.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { findExemplars } from './reading/exemplar-points.ts'
import { optionalService } from './reading/service-names.ts'
import { isPlainName, matchName, showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const aggregations = ['avg', 'min', 'max', 'last', 'sum', 'increase', 'rate', 'quantile'] as const

const input = z.strictObject({
  metric: z.string().min(1).max(300).optional().describe('exact name; without it names are listed'),
  query: fields.query.optional().describe('part of a name'),
  service: fields.service.optional(),
  attributes: z.record(z.string().min(1).max(200), z.string().max(500)).optional(),
  aggregation: z.enum(aggregations).optional().describe('default by type: avg, rate or quantile'),
  q: z.number().min(0).max(1).optional().describe('default 0.95'),
  group_by: z
    .array(z.string().min(1).max(200))
    .max(4)
    .optional()
    .describe('service, instance or attribute keys'),
  step_s: z.number().min(1).optional(),
  exemplars: z.boolean().optional(),
  ...windowed,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

type Arguments = z.output<typeof input>

/** About this many steps are shown unless the caller says otherwise. */
const stepsWanted = 30
const maxStepsShown = 1_000
const niceSteps: readonly number[] = [
  1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400,
]
/** Groups whose values are shown next to each other; the others keep their summary. */
const maxColumns = 8
const maxExemplars = 20

function stepOf(window: TimeRange, asked: number | undefined): number {
  const seconds = (window.toMs - window.fromMs) / 1_000
  if (asked !== undefined) {
    if (seconds / asked > maxStepsShown) {
      throw new ArgumentProblem('invalid_argument', `the window has more than ${maxStepsShown} such steps`, {
        field: 'step_s',
        accepted: [`at least ${Math.ceil(seconds / maxStepsShown)}`],
        example: Math.ceil(seconds / stepsWanted),
      })
    }
    return asked
  }
  return niceSteps.find(step => seconds / step <= stepsWanted) ?? Math.ceil(seconds / stepsWanted)
}

function defaultAggregation(metric: Pick<MetricEntry, 'type' | 'monotonic'>): Aggregation {
  if (metric.type === 'gauge') return 'avg'
  if (metric.type === 'sum') return metric.monotonic ? 'rate' : 'avg'
  return 'quantile'
}

async function namesOf(args: Arguments, service: string | undefined, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const catalog: Catalog = await listMetrics(
    reader,
    {
      range: window,
      ...(service === undefined ? {} : { services: [service] }),
      ...(args.query === undefined ? {} : { contains: args.query }),
    },
    deadline,
  )
  if (catalog.metrics.length === 0) {
    const { status, because } = await explainEmptiness(reader, window, ['metrics'])
    return { status, answer: `No metric found in this window: ${because}.`, window }
  }
  const first = catalog.metrics[0]
  return {
    status: 'ok',
    answer: `${catalog.metrics.length} metrics have points in this window.`,
    tables: [catalogTable(catalog.metrics)],
    window,
    next:
      first === undefined
        ? []
        : [
            {
              tool: 'query_metrics',
              arguments: {
                metric: showName(first.name, 'metric'),
                from: formatTime(window.fromMs),
                to: formatTime(window.toMs),
              },
              why: 'the values of the first one',
            },
          ],
  }
}

function catalogTable(metrics: readonly MetricSummary[]): Table {
  return {
    name: 'metrics',
    columns: [
      { name: 'metric', kind: 'metric' },
      { name: 'type', kind: 'word' },
      { name: 'points', kind: 'word' },
      { name: 'services', kind: 'svc' },
      { name: 'unit', kind: 'text' },
      { name: 'description', kind: 'text' },
    ],
    rows: metrics.map((metric, at) => ({
      importance: -at,
      cells: [
        metric.name,
        metric.type,
        metric.points,
        metric.services.slice(0, 5),
        metric.unit,
        metric.description.slice(0, 80),
      ],
    })),
  }
}

interface FoundMetric {
  readonly name: string
  readonly type: MetricEntry['type']
  readonly monotonic: boolean
}

/** The metric of that name with points in the window; null if it is known but silent there. */
async function findMetric(
  named: string,
  service: string | undefined,
  { reader, window, deadline }: ToolContext,
): Promise<FoundMetric | null> {
  const services = service === undefined ? {} : { services: [service] }
  const { metrics } = await listMetrics(reader, { range: window, ...services }, deadline)
  const here = matchName(
    named,
    metrics.map(metric => metric.name),
    'metric',
  )
  const found = metrics.find(metric => metric.name === here)
  if (found !== undefined) return found
  const { oldestMs, newestMs } = await reader.coverage(window)
  const view =
    oldestMs === null || newestMs === null
      ? null
      : await reader.rollups({ fromMs: oldestMs, toMs: newestMs + 1 }, 600)
  const all = new Set([
    ...metrics.map(metric => metric.name),
    ...(view?.series('metric') ?? []).map(series => series.key[1] ?? ''),
  ])
  if (matchName(named, all, 'metric') !== null) return null
  throw new ArgumentProblem('no_such_entity', 'no metric of this name is known here', {
    field: 'metric',
    near: nearMatches(named, [...all].filter(isPlainName)),
    accepted: ['a name from query_metrics without metric'],
  })
}

interface GroupFigures {
  readonly group: MetricGroup
  readonly known: readonly number[]
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly last: number
}

function figuresOf(group: MetricGroup): GroupFigures {
  const known = [...group.values].filter(value => !Number.isNaN(value))
  return {
    group,
    known,
    min: Math.min(...known),
    max: Math.max(...known),
    mean: known.reduce((sum, value) => sum + value, 0) / known.length,
    last: known.at(-1) ?? Number.NaN,
  }
}

/** Groups that move most come first: how far their largest value lies from their mean. */
function rankGroups(answer: MetricAnswer): readonly GroupFigures[] {
  const spread = (entry: GroupFigures): number =>
    (entry.max - entry.min) / Math.max(Math.abs(entry.mean), Number.EPSILON)
  return answer.groups
    .map(figuresOf)
    .filter(entry => entry.known.length > 0)
    .sort((a, b) => spread(b) - spread(a) || (a.group.key.join() < b.group.key.join() ? -1 : 1))
}

function groupTable(ranked: readonly GroupFigures[], groupBy: readonly string[]): Table {
  return {
    name: 'groups',
    columns: [
      { name: 'n', kind: 'word' },
      ...(groupBy.length > 0 ? [{ name: 'group', kind: 'text' as const }] : []),
      { name: 'series', kind: 'word' },
      { name: 'min', kind: 'word' },
      { name: 'mean', kind: 'word' },
      { name: 'max', kind: 'word' },
      { name: 'last', kind: 'word' },
    ],
    rows: ranked.map((entry, at) => ({
      importance: 1_000 - at,
      cells: [
        at + 1,
        ...(groupBy.length > 0
          ? [groupBy.map((key, part) => `${key}=${entry.group.key[part] ?? ''}`).join(' ')]
          : []),
        entry.group.series,
        entry.min,
        entry.mean,
        entry.max,
        entry.last,
      ],
    })),
  }
}

/** One row per step, one column per group; the steps that stand out stay longest. */
function valueTable(ranked: readonly GroupFigures[], answer: MetricAnswer): Table {
  const shown = ranked.slice(0, maxColumns)
  const steps = shown[0]?.group.values.length ?? 0
  const rows: Row[] = []
  for (let step = 0; step < steps; step++) {
    const values = shown.map(entry => entry.group.values[step] ?? Number.NaN)
    if (values.every(Number.isNaN)) continue
    const standsOut = shown.map((entry, at) => {
      const value = values[at] ?? Number.NaN
      return Number.isNaN(value)
        ? 0
        : Math.abs(value - entry.mean) / Math.max(entry.max - entry.min, Number.EPSILON)
    })
    rows.push({
      importance: 500 + Math.max(...standsOut),
      cells: [(step * answer.stepMs) / 1_000, ...values.map(value => (Number.isNaN(value) ? null : value))],
    })
  }
  return {
    name: 'values',
    columns: [
      { name: 'offset_s', kind: 'word' },
      ...shown.map((_, at) => ({ name: `n${at + 1}`, kind: 'word' as const })),
    ],
    rows,
    paged: false,
  }
}

async function exemplarsOf(
  metric: string,
  service: string | undefined,
  context: ToolContext,
): Promise<Table> {
  const services = service === undefined ? {} : { services: [service] }
  const points = await findExemplars(
    context.reader,
    { range: context.window, ...services, metric, limit: maxExemplars },
    context.deadline,
  )
  return {
    name: 'exemplars',
    columns: [
      { name: 'trace_id', kind: 'id' },
      { name: 'time', kind: 'time' },
      { name: 'value', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'series', kind: 'text' },
    ],
    rows: points
      .toSorted((a, b) => b.value - a.value || (a.traceId < b.traceId ? -1 : 1))
      .map((point, at) => ({
        importance: 900 - at,
        cells: [point.traceId, point.timeMs, point.value, point.service, point.series],
      })),
    paged: false,
  }
}

function nextOf(
  args: Arguments,
  name: string,
  exemplars: Table | null,
  { window }: ToolContext,
): readonly NextCall[] {
  const trace = exemplars?.rows[0]?.cells[0]
  if (typeof trace === 'string')
    return [{ tool: 'get_trace', arguments: { trace_id: trace }, why: 'the exemplar with the largest value' }]
  if (args.group_by !== undefined) return []
  return [
    {
      tool: 'query_metrics',
      arguments: {
        metric: showName(name, 'metric'),
        group_by: ['service', 'instance'],
        from: formatTime(window.fromMs),
        to: formatTime(window.toMs),
      },
      why: 'which instance it is',
    },
  ]
}

async function run(args: Arguments, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const service = await optionalService(args.service, reader, window)
  if (args.metric === undefined) return namesOf(args, service, context)
  const found = await findMetric(args.metric, service, context)
  if (found === null) {
    const { status, because } = await explainEmptiness(reader, window, ['metrics'])
    return { status, answer: `The metric is known, but has no points in this window: ${because}.`, window }
  }
  const aggregation = args.aggregation ?? defaultAggregation(found)
  const q = aggregation === 'quantile' ? (args.q ?? 0.95) : undefined
  const stepS = stepOf(window, args.step_s)
  const groupBy = args.group_by ?? []
  const answer = await queryMetric(
    reader,
    {
      name: found.name,
      range: window,
      stepMs: stepS * 1_000,
      ...(service === undefined ? {} : { services: [service] }),
      ...(args.attributes === undefined ? {} : { attributes: Object.entries(args.attributes) }),
      groupBy,
      aggregation,
      ...(q === undefined ? {} : { q }),
    },
    deadline,
  )
  const ranked = rankGroups(answer)
  const exemplars = args.exemplars === true ? await exemplarsOf(found.name, service, context) : null
  // Units such as % are no plain names; in the sentence they are left out, the table has them.
  const unit = isPlainName(answer.metric?.unit ?? '') ? (answer.metric?.unit ?? '') : ''
  if (ranked.length === 0) {
    return {
      status: 'nothing_in_window',
      answer: `${showName(found.name, 'metric')} has no ${aggregation} in this window: no series matches, or too few points.`,
      window,
    }
  }
  const [first] = ranked
  return {
    status: 'ok',
    answer: `${aggregation}${q === undefined ? '' : ` ${q}`} of ${showName(found.name, 'metric')} (${found.type}${unit === '' ? '' : `, ${unit}${aggregation === 'rate' ? ' per s' : ''}`}), ${ranked.length} group(s), steps of ${stepS} s; the one that moves most: ${round(first?.min)} to ${round(first?.max)}.`,
    facts: {
      aggregation,
      unit,
      step_s: stepS,
      ...(answer.resets > 0 ? { counter_resets: answer.resets } : {}),
    },
    tables: [
      groupTable(ranked, groupBy),
      valueTable(ranked, answer),
      ...(exemplars === null ? [] : [exemplars]),
    ],
    window,
    notes: [
      ...(answer.omittedPoints > 0 ? [`${answer.omittedPoints} points were left out: too many series`] : []),
      ...(ranked.length > maxColumns ? [`values of the ${maxColumns} groups that move most`] : []),
    ],
    next: nextOf(args, found.name, exemplars, context),
  }
}

function round(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? 'none' : String(Number(value.toPrecision(4)))
}

export const queryMetrics: Tool = defineTool({
  name: 'query_metrics',
  title: 'Metrics',
  description:
    'A metric over the window in steps: values, rates, quantiles, by group; exemplars lead to traces. Without metric it lists names.',
  input,
  examples: [
    { query: 'memory', service: 'checkout' },
    {
      metric: 'http.server.request.duration',
      aggregation: 'quantile',
      q: 0.99,
      group_by: ['service'],
      from: '-1h',
    },
    { metric: 'process.cpu.utilization', group_by: ['instance'], step_s: 60 },
  ],
  maxTokens: 2_000,
  rows: 50,
  window: 'window',
  memo: false,
  run,
})
