import { z } from 'zod'
import { bodyTextOf } from '../graph/logs/log-body.ts'
import type { TemplateRecord } from '../model/store.ts'
import { type LogCondition, parseLogQuery } from '../store/search/log-query.ts'
import { rankByRelevance, rankedRecords } from '../store/search/log-relevance.ts'
import {
  estimatedCount,
  type LogHit,
  type LogSearch,
  type LogSearchResult,
  searchLogs as search,
} from '../store/search/log-search.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { hexAt, isZeroId } from './reading/hex-id.ts'
import { severityName, severityNumber } from './reading/log-lines.ts'
import { optionalService } from './reading/service-names.ts'
import {
  countTemplates,
  type TemplateCount,
  templateCells,
  templateColumns,
} from './reading/template-counts.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  query: fields.query
    .optional()
    .describe('words (stems and prefixes match), "phrase", AND OR NOT, ( ), key=value'),
  service: fields.service.optional(),
  severity: fields.severity.optional().describe('at least'),
  trace_id: fields.trace_id.optional(),
  attributes: z.record(z.string().min(1).max(200), z.string().max(500)).optional(),
  templates: z.boolean().optional().describe('patterns with counts instead of lines'),
  by_relevance: z.boolean().optional().describe('best of the newest 1000 found first'),
  region: fields.region.optional(),
  environment: fields.environment.optional(),
  ...windowed,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

type Arguments = z.output<typeof input>

/** Lines grouped for `templates` at most; without a text search the counts come from rollups instead. */
const maxGrouped = 20_000

/**
 * Records looked at for a count: a third of a second for the commonest word. Beyond it the count is an estimate, which
 * tells a reader as much as the million that it would take seconds to reach.
 */
const maxCounted = 100_000

const attribute = (key: string, value: string): LogCondition => ({ type: 'attribute', key, value })

function conditionOf(args: Arguments): LogCondition | null {
  const parts: LogCondition[] = []
  const parsed = args.query === undefined ? null : parseLogQuery(args.query)
  if (parsed !== null) parts.push(parsed)
  if (args.trace_id !== undefined) parts.push({ type: 'trace', prefix: args.trace_id.toLowerCase() })
  for (const [key, value] of Object.entries(args.attributes ?? {})) parts.push(attribute(key, value))
  if (args.region !== undefined) parts.push(attribute('cloud.region', args.region))
  if (args.environment !== undefined) {
    const { environment } = args
    parts.push({
      type: 'or',
      conditions: [
        attribute('deployment.environment.name', environment),
        attribute('deployment.environment', environment),
      ],
    })
  }
  return parts.length > 1 ? { type: 'and', conditions: parts } : (parts[0] ?? null)
}

const serviceOf = ({ block, row }: LogHit): string => block.resources[block.resource[row] ?? 0]?.service ?? ''

/** What a line's place in the answer follows from. */
interface PlacedHit {
  readonly hit: LogHit
  readonly importance: number
}

/** Up to the page's end; the assembler drops what earlier pages had. */
function placedHits(
  args: Arguments,
  result: LogSearchResult,
  { start }: Pick<ToolContext, 'start'>,
): readonly PlacedHit[] {
  if (args.by_relevance !== true) return result.hits.map(hit => ({ hit, importance: hit.timeMs }))
  const ranked = rankByRelevance(result.hits, conditionOf(args))
  const above = start === null ? 0 : ranked.filter(({ score }) => score > start.importance).length
  const until = above + (start?.ties ?? 0) + (args.limit ?? 50)
  return ranked.slice(0, until).map(({ hit, score }) => ({ hit, importance: score }))
}

function lineTable(result: LogSearchResult, placed: readonly PlacedHit[]): Table {
  return {
    name: 'lines',
    columns: [
      { name: 'time', kind: 'time' },
      { name: 'service', kind: 'svc' },
      { name: 'severity', kind: 'word' },
      { name: 'trace_id', kind: 'id' },
      { name: 'body', kind: 'text' },
    ],
    rows: placed.map(({ hit, importance }) => ({
      importance,
      cells: [
        hit.timeMs,
        serviceOf(hit),
        severityName(hit.block.severity[hit.row] ?? 0),
        isZeroId(hit.block.traceId, hit.row, 16) ? '' : hexAt(hit.block.traceId, hit.row, 16).slice(0, 12),
        bodyTextOf(hit.record),
      ],
    })),
    more: Math.max(0, result.count - placed.length),
  }
}

function templateTable(counts: readonly TemplateCount[]): Table {
  const severe = (entry: TemplateCount): number => (entry.severity >= severityNumber('error') ? 1 : 0)
  const sorted = counts.toSorted(
    (a, b) =>
      severe(b) - severe(a) ||
      b.count - a.count ||
      (`${a.service} ${a.id}` < `${b.service} ${b.id}` ? -1 : 1),
  )
  return {
    name: 'templates',
    columns: templateColumns,
    rows: sorted.map((entry, at) => ({
      importance: -at,
      cells: templateCells(entry),
    })),
  }
}

/** Without a search in the text, rollups have the counts of any window already. */
async function countedTemplates(
  args: Arguments,
  service: string | undefined,
  { reader, window }: ToolContext,
): Promise<readonly TemplateCount[]> {
  const lowest = args.severity === undefined ? 0 : severityNumber(args.severity)
  const counts = countTemplates(await reader.rollups(window), await reader.templates(), service)
  return counts.filter(one => one.severity >= lowest)
}

interface Grouped extends TemplateCount {
  count: number
  firstMs: number
  lastMs: number
}

function groupedTemplates(
  result: LogSearchResult,
  templates: readonly TemplateRecord[],
): readonly TemplateCount[] {
  const byNumber = new Map(templates.map(record => [record.number, record]))
  const counts = new Map<string, Grouped>()
  for (const hit of result.hits) {
    const record = byNumber.get(hit.block.template[hit.row] ?? 0)
    const service = serviceOf(hit)
    const key = `${service}\n${record?.id ?? ''}`
    const entry = counts.get(key) ?? {
      service,
      id: record?.id ?? '',
      pattern: record?.pattern ?? bodyTextOf(hit.record),
      severity: hit.block.severity[hit.row] ?? 0,
      count: 0,
      firstMs: hit.timeMs,
      lastMs: hit.timeMs,
    }
    entry.count++
    entry.firstMs = Math.min(entry.firstMs, hit.timeMs)
    entry.lastMs = Math.max(entry.lastMs, hit.timeMs)
    counts.set(key, entry)
  }
  return [...counts.values()]
}

/** The whole id, so that the call in `next` is complete whatever other traces begin with. */
function newestTrace(result: LogSearchResult | null): string | undefined {
  const hit = result?.hits.find(({ block, row }) => !isZeroId(block.traceId, row, 16))
  return hit === undefined ? undefined : hexAt(hit.block.traceId, hit.row, 16)
}

function nextOf(
  args: Arguments,
  table: Table,
  trace: string | undefined,
  context: ToolContext,
): readonly NextCall[] {
  const calls: NextCall[] = []
  if (table.name === 'lines' && trace !== undefined && args.trace_id === undefined)
    calls.push({
      tool: 'get_trace',
      arguments: { trace_id: trace, include: ['logs'] },
      why: 'the request behind the newest line',
    })
  if (table.name === 'lines' && (table.more ?? 0) > 100 && args.query === undefined) {
    calls.push({
      tool: 'search_logs',
      arguments: {
        templates: true,
        from: formatTime(context.window.fromMs),
        to: formatTime(context.window.toMs),
        ...(args.severity === undefined ? {} : { severity: args.severity }),
      },
      why: 'what kinds of lines there are',
    })
  }
  return calls
}

async function estimateOf(
  result: LogSearchResult,
  { reader, window, start }: ToolContext,
): Promise<number | null> {
  // A later page counts from where the one before it ended.
  if (result.countedSinceMs === null || start !== null) return null
  const { perSignal } = await reader.coverage(window)
  const logs = perSignal.find(({ signal }) => signal === 'logs')
  return estimatedCount(result, {
    fromMs: Math.max(window.fromMs, logs?.oldestMs ?? window.fromMs),
    toMs: Math.min(window.toMs, logs?.newestMs ?? window.toMs),
  })
}

async function run(args: Arguments, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline, start } = context
  const service = await optionalService(args.service, reader, window)
  const condition = conditionOf(args)
  const ranked = args.by_relevance === true && args.templates !== true
  const limit = ranked ? rankedRecords : (args.limit ?? 50) + (start?.ties ?? 0)
  const wanted: LogSearch = {
    // A page ends where the last one began; its ties are dropped by the assembler.
    range: {
      fromMs: window.fromMs,
      toMs: start === null || ranked ? window.toMs : Math.min(window.toMs, start.importance + 0.001),
    },
    condition,
    ...(service === undefined ? {} : { services: [service] }),
    ...(args.severity === undefined ? {} : { minSeverity: severityNumber(args.severity) }),
    limit: args.templates === true ? maxGrouped : limit,
    countAll: true,
    ...(args.templates === true ? {} : { maxScannedRecords: maxCounted }),
  }
  const counted = args.templates === true && condition === null
  const result = counted ? null : await search(reader, wanted, deadline)
  const table =
    result === null
      ? templateTable(await countedTemplates(args, service, context))
      : args.templates === true
        ? templateTable(groupedTemplates(result, await reader.templates()))
        : lineTable(result, placedHits(args, result, context))
  if (table.rows.length === 0) {
    const { status, because } = await explainEmptiness(reader, window, ['logs'])
    const searched = condition !== null || service !== undefined || args.severity !== undefined
    return {
      status,
      answer: `No log record${searched ? ' matches' : ''} in this window; ${because}.`,
      window,
    }
  }
  const total = result?.count ?? table.rows.reduce((sum, row) => sum + Number(row.cells[2]), 0)
  const least = result !== null && !result.exact ? 'At least ' : ''
  const kinds =
    args.templates === true
      ? ` in ${table.rows.length} templates`
      : ranked
        ? `, the most relevant of the newest ${Math.min(rankedRecords, result?.hits.length ?? 0)} first`
        : ', newest first'
  const about = result === null ? null : await estimateOf(result, context)
  const estimate = about === null ? '' : `, about ${about} if older ones match as often`
  return {
    status: 'ok',
    answer: `${least}${total} log records${estimate}${kinds}.`,
    tables: [table],
    window,
    notes: result !== null && !result.exact ? ['only the newest part of the window was read'] : [],
    next: nextOf(args, table, newestTrace(result), context),
  }
}

export const searchLogs: Tool = defineTool({
  name: 'search_logs',
  title: 'Find log records',
  description:
    'Log lines, newest first, or templates (mined patterns with counts): full text, severity, service, trace, attributes of record or resource. Take templates first when there are many.',
  input,
  examples: [
    { query: 'timeout OR refused', severity: 'error', from: 'now-15m' },
    { service: 'checkout', templates: true },
    { query: '"card declined" NOT test', trace_id: '4bf92f35' },
  ],
  maxTokens: 4_000,
  rows: 50,
  window: 'window',
  memo: false,
  run,
})
