import { z } from 'zod'
import { logFeatures } from '../graph/similar/log-features.ts'
import { SimilarityIndex } from '../graph/similar/similarity-index.ts'
import type { TemplateRecord } from '../model/store.ts'
import type { Draft, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { ArgumentProblem } from './arguments/problem.ts'
import { formatTime } from './arguments/time-argument.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { severityName } from './reading/log-lines.ts'
import { optionalService } from './reading/service-names.ts'
import {
  countTemplates,
  type TemplateCount,
  templateCells,
  templateColumns,
} from './reading/template-counts.ts'
import { amount } from './text/amount.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  query: fields.query.optional().describe('a log line, or words of one'),
  template_id: z
    .string()
    .regex(/^[0-9a-f]{16}$/, '16 hexadecimal digits in lower case')
    .optional()
    .describe('instead of query'),
  service: fields.service.optional(),
  ...windowed,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

type Arguments = z.output<typeof input>

/** Below this what two lines share is words that many have. */
const leastSimilarity = 0.15

interface Sought {
  readonly features: readonly string[]
  /** Template that is not listed as similar to itself. */
  readonly itself: TemplateRecord | null
}

function soughtOf(args: Arguments, templates: readonly TemplateRecord[]): Sought {
  if (args.template_id !== undefined) {
    const record = templates.find(one => one.id === args.template_id)
    if (record === undefined)
      throw new ArgumentProblem('no_such_entity', 'no log template has this id', { field: 'template_id' })
    return { features: logFeatures(record.pattern), itself: record }
  }
  if (args.query === undefined)
    throw new ArgumentProblem('missing_argument', 'query or template_id says what to look for', {
      field: 'query',
      example: 'connection refused by upstream',
    })
  return { features: logFeatures(args.query), itself: null }
}

interface Found extends TemplateCount {
  readonly similarity: number
}

function similarTable(found: readonly Found[]): Table {
  return {
    name: 'similar',
    columns: [{ name: 'similarity', kind: 'word' }, ...templateColumns],
    rows: found.map((one, at) => ({
      importance: -at,
      cells: [one.similarity, ...templateCells(one)],
    })),
  }
}

/** Those with the most records first, so that what is cut off is rare. */
function mostFrequent(counts: readonly TemplateCount[], limit: number): readonly TemplateCount[] {
  return counts
    .toSorted((a, b) => b.count - a.count || (`${a.service} ${a.id}` < `${b.service} ${b.id}` ? -1 : 1))
    .slice(0, limit)
}

async function run(args: Arguments, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline, similarEntries } = context
  const templates = await reader.templates()
  const sought = soughtOf(args, templates)
  const service = await optionalService(args.service, reader, window)
  const counts = countTemplates(await reader.rollups(window), templates, service)
  deadline.check()
  const compared = mostFrequent(
    counts.filter(one => one.id !== sought.itself?.id && one.pattern !== ''),
    similarEntries,
  )
  if (compared.length === 0) {
    const { status, because } = await explainEmptiness(reader, window, ['logs'])
    return { status, answer: `No other log template in this window; ${because}.`, window }
  }
  const index = new SimilarityIndex(compared.map(one => logFeatures(one.pattern)))
  deadline.check()
  const found = index.search(sought.features, leastSimilarity).flatMap(({ at, similarity }): Found[] => {
    const one = compared[at]
    return one === undefined ? [] : [{ ...one, similarity }]
  })
  const [best] = found
  const services = new Set(found.map(one => one.service)).size
  return {
    status: 'ok',
    answer:
      best === undefined
        ? `None of ${amount(compared.length, 'log template')} of this window resembles it.`
        : `${found.length} of ${amount(compared.length, 'log template')} ${found.length === 1 ? 'resembles' : 'resemble'} it, of ${amount(services, 'service')}; the nearest (${best.similarity}) is of ${showName(best.service)}, ${amount(best.count, 'record')}.`,
    tables: [similarTable(found)],
    window,
    read: { templates: compared.length },
    notes: [
      'similarity: cosine over masked words and pairs of words, rare ones counting most; 1 is the same',
      ...(compared.length < counts.length - 1 ? ['only the most frequent templates were compared'] : []),
    ],
    next:
      best === undefined
        ? []
        : [
            {
              tool: 'search_logs',
              arguments: {
                service: showName(best.service),
                ...(best.severity >= 13 ? { severity: severityName(best.severity) } : {}),
                from: formatTime(window.fromMs),
                to: formatTime(window.toMs),
              },
              why: 'lines of the service with the nearest template',
            },
          ],
  }
}

export const findSimilarLogs: Tool = defineTool({
  name: 'find_similar_logs',
  title: 'Log templates like this one',
  description:
    'Log templates of any service that resemble a line or a template, by their masked words: the same failure told in other words, or elsewhere. With counts, first and last time.',
  input,
  examples: [
    { query: 'card processor unavailable', from: 'now-1h' },
    { template_id: '00f1e2d3c4b5a697', from: 'now-24h' },
  ],
  maxTokens: 2_000,
  rows: 30,
  window: 'window',
  memo: false,
  run,
})
