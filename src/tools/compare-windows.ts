import { z } from 'zod'
import type { TimeRange } from '../model/time.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import { type AttributeComparison, compareAttributes } from './reading/compare-attributes.ts'
import { type Comparison, compareRollups, type Difference } from './reading/compare-rollups.ts'
import { optionalService } from './reading/service-names.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service.optional(),
  ...compared,
  limit: fields.limit.optional(),
  ...everywhere,
})

/** Services whose attribute values are compared when none is named: those that differ most. */
const maxAttributeServices = 4

/** Of the same length, right before: both sides then hold about the same traffic. */
const before = (window: TimeRange): TimeRange => ({
  fromMs: window.fromMs - (window.toMs - window.fromMs),
  toMs: window.fromMs,
})

function serviceTable(comparison: Comparison, window: TimeRange, baseline: TimeRange): Table {
  const seconds = (range: TimeRange): number => (range.toMs - range.fromMs) / 1_000
  const share = (errors: number, count: number): number | null =>
    count === 0 ? null : (errors / count) * 100
  const strength = new Map<string, number>()
  for (const difference of comparison.differences)
    strength.set(difference.service, Math.max(strength.get(difference.service) ?? 0, difference.strength))
  return {
    name: 'services',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'per_s_before', kind: 'word' },
      { name: 'per_s', kind: 'word' },
      { name: 'error_pct_before', kind: 'word' },
      { name: 'error_pct', kind: 'word' },
      { name: 'p95_ms_before', kind: 'word' },
      { name: 'p95_ms', kind: 'word' },
    ],
    rows: comparison.services.map(({ service, before: then, after: now }) => ({
      importance: 40 + Math.min(30, strength.get(service) ?? 0),
      cells: [
        service,
        then.count / seconds(baseline),
        now.count / seconds(window),
        share(then.errors, then.count),
        share(now.errors, now.count),
        then.p95Ms,
        now.p95Ms,
      ],
    })),
    paged: false,
  }
}

function differenceTable(differences: readonly Difference[]): Table {
  return {
    name: 'differences',
    columns: [
      { name: 'change', kind: 'word' },
      { name: 'of', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'name', kind: 'text' },
      { name: 'before', kind: 'word' },
      { name: 'after', kind: 'word' },
      { name: 'unit', kind: 'word' },
      { name: 'strength', kind: 'word' },
    ],
    rows: differences.map((difference, at) => ({
      importance: 100 - at * 0.5,
      cells: [
        difference.kind,
        difference.of,
        difference.service,
        difference.name,
        difference.before,
        difference.after,
        difference.unit,
        Math.round(difference.strength * 10) / 10,
      ],
    })),
    paged: false,
  }
}

function templateTable(comparison: Comparison, patterns: ReadonlyMap<string, string>): Table {
  return {
    name: 'templates',
    columns: [
      { name: 'change', kind: 'word' },
      { name: 'service', kind: 'svc' },
      { name: 'before', kind: 'word' },
      { name: 'after', kind: 'word' },
      { name: 'template_id', kind: 'id' },
      { name: 'pattern', kind: 'text' },
    ],
    rows: comparison.templates.map((entry, at) => ({
      importance: 90 - at,
      cells: [
        entry.kind,
        entry.service,
        entry.before,
        entry.after,
        entry.templateId,
        patterns.get(`${entry.service}\n${entry.templateId}`) ?? '',
      ],
    })),
    paged: false,
  }
}

interface ServiceAttributes {
  readonly service: string
  readonly compared: AttributeComparison
}

function attributeTable(all: readonly ServiceAttributes[]): Table {
  const percent = (share: number): number => Math.round(share * 1_000) / 10
  return {
    name: 'attributes',
    columns: [
      { name: 'service', kind: 'svc' },
      { name: 'key', kind: 'text' },
      { name: 'value', kind: 'text' },
      { name: 'before_pct', kind: 'word' },
      { name: 'after_pct', kind: 'word' },
    ],
    rows: all.flatMap(({ service, compared: { shifts } }) =>
      shifts.map((shift, at) => ({
        importance: 80 - at,
        cells: [service, shift.key, shift.value, percent(shift.beforeShare), percent(shift.afterShare)],
      })),
    ),
    paged: false,
  }
}

async function attributesOf(
  comparison: Comparison,
  service: string | undefined,
  context: ToolContext,
  baseline: TimeRange,
): Promise<readonly ServiceAttributes[]> {
  const changed = [...new Set(comparison.differences.map(difference => difference.service))]
  const chosen = service === undefined ? changed.slice(0, maxAttributeServices) : [service]
  const found: ServiceAttributes[] = []
  for (const name of chosen) {
    const sides = comparison.services.find(entry => entry.service === name)
    if (sides === undefined || sides.before.count === 0 || sides.after.count === 0) continue
    const expected = { before: sides.before.count, after: sides.after.count }
    found.push({
      service: name,
      compared: await compareAttributes(
        context.reader,
        name,
        context.window,
        baseline,
        expected,
        context.deadline,
      ),
    })
  }
  return found
}

function sentenceOf(comparison: Comparison, moved: number): string {
  const count = (kinds: readonly string[]): number =>
    comparison.differences.filter(difference => kinds.includes(difference.kind)).length
  const worst = comparison.differences[0]
  const parts = [
    `${count(['failing'])} failing more`,
    `${count(['slower'])} slower`,
    `${count(['called_more_often'])} called more often per request`,
    `${count(['new'])} new`,
    `${count(['gone'])} gone`,
    `${comparison.templates.length} log templates moved`,
    `${moved} attribute values moved`,
  ].filter(part => !part.startsWith('0 '))
  if (parts.length === 0) return 'Nothing differs beyond chance.'
  const first =
    worst === undefined
      ? ''
      : ` Strongest: an ${worst.of} of ${showName(worst.service)} is ${worst.kind.replaceAll('_', ' ')}.`
  return `Operations and edges: ${parts.join(', ')}.${first}`
}

function nextOf(comparison: Comparison, window: TimeRange): readonly NextCall[] {
  const worst = comparison.differences.find(difference =>
    ['failing', 'slower', 'called_more_often'].includes(difference.kind),
  )
  if (worst === undefined) return []
  const range = { from: formatTime(window.fromMs), to: formatTime(window.toMs) }
  return [
    {
      tool: 'search_traces',
      arguments: {
        service: showName(worst.service),
        ...(worst.kind === 'failing' ? { status: 'error' } : { order: 'slowest' }),
        limit: 5,
        ...range,
      },
      why: 'traces that show the strongest difference',
    },
    { tool: 'investigate', arguments: range, why: 'the cause behind the differences' },
  ]
}

async function run(args: z.output<typeof input>, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline } = context
  const service = await optionalService(args.service, reader, window)
  const baseline = context.baseline ?? before(window)
  const view = await reader.rollups(window)
  const base = await reader.rollups(baseline)
  deadline.check()
  const comparison = compareRollups(view, base, service)
  const seen = (side: 'before' | 'after'): boolean => comparison.services.some(entry => entry[side].count > 0)
  if (!seen('after') || !seen('before')) {
    const side = seen('after') ? baseline : window
    const { status, because } = await explainEmptiness(reader, side, ['traces'])
    const which = seen('after') ? 'baseline' : 'window'
    return { status, answer: `The ${which} holds no requests to compare: ${because}.`, window, baseline }
  }
  const templates = await reader.templates()
  const patterns = new Map(templates.map(record => [`${record.service}\n${record.id}`, record.pattern]))
  const attributes = await attributesOf(comparison, service, context, baseline)
  const moved = attributes.reduce((sum, entry) => sum + entry.compared.shifts.length, 0)
  return {
    status: comparison.differences.length + comparison.templates.length + moved === 0 ? 'healthy' : 'ok',
    answer: sentenceOf(comparison, moved),
    tables: [
      differenceTable(comparison.differences),
      templateTable(comparison, patterns),
      attributeTable(attributes),
      serviceTable(comparison, window, baseline),
    ].filter(table => table.rows.length > 0),
    window,
    baseline,
    read: {
      requests: comparison.services.reduce((sum, entry) => sum + entry.after.count, 0),
      baseline_requests: comparison.services.reduce((sum, entry) => sum + entry.before.count, 0),
    },
    next: nextOf(comparison, window),
  }
}

export const compareWindows: Tool = defineTool({
  name: 'compare_windows',
  title: 'What differs between two windows',
  description:
    'Two windows: operations and calls that are new, gone, slower, failing or called more often per request (N+1), log templates and attribute values that moved. For releases: from = release, baseline = before it.',
  input,
  examples: [
    { service: 'checkout', from: 'now-1h', baseline_from: 'now-3h', baseline_to: 'now-1h' },
    { from: 'now-15m' },
  ],
  maxTokens: 2_000,
  rows: 100,
  window: 'compared',
  memo: false,
  run,
})
