import { z } from 'zod'
import { type ChangeEvent, changeOrder, listChanges } from '../graph/changes.ts'
import { Names } from '../graph/diagnosis/names.ts'
import { readSample, type Sample } from '../graph/diagnosis/sampling.ts'
import { describedChanges } from '../graph/resource-changes.ts'
import type { RollupView } from '../model/rollup.ts'
import type { TimeRange } from '../model/time.ts'
import type { Draft, NextCall } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { ArgumentProblem } from './arguments/problem.ts'
import { formatTime } from './arguments/time-argument.ts'
import { compared, everywhere, fields } from './arguments/vocabulary.ts'
import { compareAttributes } from './reading/compare-attributes.ts'
import { compareCritical } from './reading/compare-critical.ts'
import { type Comparison, compareRollups } from './reading/compare-rollups.ts'
import { compareVersions } from './reading/compare-versions.ts'
import {
  attributeTable,
  changeTable,
  differenceTable,
  type ServiceAttributes,
  serviceTable,
  templateTable,
} from './reading/comparison-tables.ts'
import { worstFirst } from './reading/differences.ts'
import { optionalService } from './reading/service-names.ts'
import { type ChosenVersions, chooseVersions } from './reading/service-versions.ts'
import { amount } from './text/amount.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service.optional(),
  version: fields.service.optional().describe('of the service: compares versions instead of windows'),
  baseline_version: fields.service.optional().describe('default: the one before it, or beside it'),
  ...compared,
  limit: fields.limit.optional(),
  ...everywhere,
})

type Arguments = z.output<typeof input>

/** Services whose attribute values are compared when none is named: those that differ most. */
const maxAttributeServices = 4
/** Changes listed at most; what explains most comes first. */
const maxChanges = 20
/** New and gone operations, edges and templates are differences already. */
const eventKinds = new Set(['operation', 'edge', 'template'])

/** Of the same length, right before: both sides then hold about the same traffic. */
const before = (window: TimeRange): TimeRange => ({
  fromMs: window.fromMs - (window.toMs - window.fromMs),
  toMs: window.fromMs,
})

async function attributesOf(
  comparison: Comparison,
  service: string | undefined,
  context: ToolContext,
  baseline: TimeRange,
  versions?: ChosenVersions,
): Promise<readonly ServiceAttributes[]> {
  const changed = [...new Set(comparison.differences.map(difference => difference.service))]
  const chosen = service === undefined ? changed.slice(0, maxAttributeServices) : [service]
  const found: ServiceAttributes[] = []
  for (const name of chosen) {
    const sides = comparison.services.find(entry => entry.service === name)
    if (sides === undefined || sides.before.count === 0 || sides.after.count === 0) continue
    const after = { range: context.window, expected: sides.after.count }
    const then = { range: baseline, expected: sides.before.count }
    found.push({
      service: name,
      compared: await compareAttributes(
        context.reader,
        name,
        versions === undefined
          ? { before: then, after }
          : {
              before: { ...then, version: versions.before },
              after: { ...after, version: versions.after },
            },
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
    `${count(['more_critical'])} with more of the critical path`,
    `${count(['new'])} new`,
    `${count(['gone'])} gone`,
  ].filter(part => !part.startsWith('0 '))
  const also = [amount(comparison.templates.length, 'log template'), amount(moved, 'attribute value')].filter(
    part => !part.startsWith('0 '),
  )
  const told = [
    ...(comparison.differences.length === 0
      ? []
      : [
          `Operations, edges and services: ${parts.length === 0 ? 'only for the better' : parts.join(', ')}.`,
        ]),
    ...(also.length === 0 ? [] : [`${also.join(' and ')} moved.`]),
  ].join(' ')
  if (comparison.differences.length + comparison.templates.length + moved === 0)
    return 'Nothing differs beyond chance.'
  const subject = worst?.of === 'service' ? 'service' : `${worst?.of} of`
  const first =
    worst === undefined
      ? ''
      : ` First: ${subject} ${showName(worst.service)}, ${worst.kind.replaceAll('_', ' ')}.`
  return `${told}${first}`
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

function changesOf(
  views: { readonly window: RollupView; readonly baseline: RollupView },
  samples: { readonly now: Sample; readonly then: Sample },
  service: string | undefined,
): readonly ChangeEvent[] {
  const events = [
    ...listChanges(views, service === undefined ? {} : { service }),
    ...describedChanges(samples.now.described, samples.then.described),
  ]
  return events
    .filter(event => service === undefined || event.service === service)
    .filter(({ kind }) => !eventKinds.has(kind.replace(/^new_|_gone$/g, '')))
    .sort(
      (a, b) =>
        changeOrder(a) - changeOrder(b) ||
        a.atMs - b.atMs ||
        (`${a.service}\n${a.name}` < `${b.service}\n${b.name}` ? -1 : 1),
    )
    .slice(0, maxChanges)
}

interface Compared {
  readonly comparison: Comparison
  readonly attributes: readonly ServiceAttributes[]
  readonly changes: readonly ChangeEvent[]
  readonly samples: readonly Sample[]
}

async function draftOf(
  { comparison, attributes, changes, samples }: Compared,
  context: ToolContext,
  baseline: TimeRange,
  versions: ChosenVersions | null,
): Promise<Draft> {
  const { reader, window } = context
  const templates = await reader.templates()
  const patterns = new Map(templates.map(record => [`${record.service}\n${record.id}`, record.pattern]))
  const moved = attributes.reduce((sum, entry) => sum + entry.compared.shifts.length, 0)
  const found = comparison.differences.length + comparison.templates.length + moved + changes.length
  const sentence = sentenceOf(comparison, moved)
  const sum = (side: 'before' | 'after') =>
    comparison.services.reduce((total, entry) => total + entry[side].count, 0)
  return {
    status: found === 0 ? 'healthy' : 'ok',
    answer: versions === null ? sentence : `${versionWords(versions)} ${sentence}`,
    ...(versions === null
      ? {}
      : {
          facts: {
            version: showName(versions.after, 'name'),
            baseline_version: showName(versions.before, 'name'),
          },
        }),
    tables: [
      differenceTable(comparison.differences),
      changeTable(changes),
      templateTable(comparison, patterns),
      attributeTable(attributes),
      serviceTable(comparison, window, versions?.sameWindow === true ? null : baseline),
    ].filter(table => table.rows.length > 0),
    window,
    baseline,
    read: {
      requests: sum('after'),
      baseline_requests: sum('before'),
      share_pct: Math.round(Math.min(...samples.map(sample => sample.share)) * 1_000) / 10,
    },
    notes: [
      'change_low, change_high: where after minus before lies with 95 % certainty',
      ...(samples.some(sample => sample.sampledAtSource) ? ['the senders sampled their traces'] : []),
    ],
    next: nextOf(comparison, window),
  }
}

function versionWords({ service, after, before: then, sameWindow }: ChosenVersions): string {
  const where = sameWindow ? 'in the same window' : 'in the baseline window'
  return `Version ${showName(after, 'name')} of ${showName(service)} against ${showName(then, 'name')} ${where}.`
}

async function runVersions(
  service: string,
  args: Arguments,
  context: ToolContext,
  baseline: TimeRange,
): Promise<Draft> {
  const { reader, window, deadline } = context
  const view = await reader.rollups(window)
  const base = await reader.rollups(baseline)
  const versions = chooseVersions(service, args, view, base)
  const names = new Names()
  const now = await readSample(reader, window, names, deadline)
  const then = versions.sameWindow ? now : await readSample(reader, baseline, names, deadline)
  const ids = new Map((await reader.templates()).map(record => [record.number, record.id]))
  deadline.check()
  const comparison = compareVersions(
    service,
    { sample: now, version: versions.after },
    { sample: then, version: versions.before },
    { names, templateId: number => ids.get(number) ?? '', patience: deadline },
  )
  const range = versions.sameWindow ? window : baseline
  const attributes = await attributesOf(comparison, service, context, range, versions)
  const views = { window: view, baseline: base }
  const changes = versions.sameWindow ? [] : changesOf(views, { now, then }, service)
  return draftOf({ comparison, attributes, changes, samples: [now, then] }, context, range, versions)
}

async function runWindows(
  service: string | undefined,
  context: ToolContext,
  baseline: TimeRange,
): Promise<Draft> {
  const { reader, window, deadline } = context
  const view = await reader.rollups(window)
  const base = await reader.rollups(baseline)
  deadline.check()
  const rolled = compareRollups(view, base, service)
  const seen = (side: 'before' | 'after'): boolean => rolled.services.some(entry => entry[side].count > 0)
  if (!seen('after') || !seen('before')) {
    const side = seen('after') ? baseline : window
    const { status, because } = await explainEmptiness(reader, side, ['traces'])
    const which = seen('after') ? 'baseline' : 'window'
    return { status, answer: `The ${which} holds no requests to compare: ${because}.`, window, baseline }
  }
  const names = new Names()
  const now = await readSample(reader, window, names, deadline, undefined, 0)
  const then = await readSample(reader, baseline, names, deadline, undefined, 0)
  deadline.check()
  const critical = compareCritical({ set: now.set }, { set: then.set }, names, service, deadline)
  const comparison = {
    ...rolled,
    differences: worstFirst([...rolled.differences, ...critical]),
  }
  const attributes = await attributesOf(comparison, service, context, baseline)
  const changes = changesOf({ window: view, baseline: base }, { now, then }, service)
  return draftOf({ comparison, attributes, changes, samples: [now, then] }, context, baseline, null)
}

async function run(args: Arguments, context: ToolContext): Promise<Draft> {
  const { reader, window } = context
  const versioned = args.version !== undefined || args.baseline_version !== undefined
  if (versioned && args.service === undefined)
    throw new ArgumentProblem('missing_argument', 'versions are compared of one service', {
      field: 'service',
      example: 'checkout',
    })
  const service = await optionalService(args.service, reader, window)
  const baseline = context.baseline ?? before(window)
  return versioned && service !== undefined
    ? runVersions(service, args, context, baseline)
    : runWindows(service, context, baseline)
}

export const compareWindows: Tool = defineTool({
  name: 'compare_windows',
  title: 'What differs between two windows',
  description:
    'Two windows, or two versions of a service (in one window, or before and after a release): operations and calls that are new, gone, slower, failing or called more often per request (N+1), critical path, releases, images, instances, restarts, log templates and attribute values that moved.',
  input,
  examples: [
    { service: 'checkout', from: 'now-1h', baseline_from: 'now-3h', baseline_to: 'now-1h' },
    { from: 'now-15m' },
    { service: 'checkout', version: '2.0.0' },
  ],
  maxTokens: 2_000,
  rows: 100,
  window: 'compared',
  memo: false,
  run,
})
