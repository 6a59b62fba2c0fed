import { z } from 'zod'
import { Names } from '../graph/diagnosis/names.ts'
import { readSample, type Sample } from '../graph/diagnosis/sampling.ts'
import { chainFeatures, type ErrorChain, errorChains } from '../graph/similar/error-chains.ts'
import { SimilarityIndex } from '../graph/similar/similarity-index.ts'
import type { TemplateRecord } from '../model/store.ts'
import type { Draft, NextCall, Table } from './answer/draft.ts'
import { explainEmptiness } from './answer/show-coverage.ts'
import { ArgumentProblem } from './arguments/problem.ts'
import { everywhere, fields, windowed } from './arguments/vocabulary.ts'
import { optionalService } from './reading/service-names.ts'
import { showName } from './text/name.ts'
import { defineTool, type Tool, type ToolContext } from './tool.ts'

const input = z.strictObject({
  service: fields.service.optional().describe('that failed, or that withstood'),
  trace_id: fields.trace_id.optional().describe('ranks by likeness to its chain'),
  ...windowed,
  limit: fields.limit.optional(),
  cursor: fields.cursor.optional(),
  ...everywhere,
})

type Arguments = z.output<typeof input>

interface RankedChain extends ErrorChain {
  /** To the chain of the trace that was named; null without one. */
  readonly similarity: number | null
}

const words = ({ service, operation }: { readonly service: string; readonly operation: string }): string =>
  operation === '' ? service : `${service} ${operation}`

function pathOf({ steps, withstoodBy }: ErrorChain): string {
  const failed = steps.map(words).join(' > ')
  return withstoodBy === null ? failed : `${failed} | withstood by ${words(withstoodBy)}`
}

function chainTable(
  chains: readonly RankedChain[],
  all: number,
  patterns: ReadonlyMap<number, string>,
): Table {
  const ranked = chains.some(chain => chain.similarity !== null)
  return {
    name: 'chains',
    columns: [
      { name: 'chain_id', kind: 'id' },
      ...(ranked ? [{ name: 'similarity', kind: 'word' } as const] : []),
      { name: 'traces', kind: 'word' },
      { name: 'share_pct', kind: 'word' },
      { name: 'origin', kind: 'svc' },
      { name: 'ends_at', kind: 'svc' },
      { name: 'came_out', kind: 'word' },
      { name: 'first', kind: 'time' },
      { name: 'last', kind: 'time' },
      { name: 'trace_id', kind: 'id' },
      { name: 'error_type', kind: 'text' },
      { name: 'path', kind: 'text' },
      { name: 'log', kind: 'text' },
    ],
    rows: chains.map((chain, at) => ({
      importance: -at,
      cells: [
        chain.id,
        ...(ranked ? [chain.similarity] : []),
        chain.traces,
        Math.round((chain.weight / all) * 1_000) / 10,
        chain.steps[0]?.service ?? '',
        (chain.withstoodBy ?? chain.steps.at(-1))?.service ?? '',
        chain.withstoodBy === null,
        chain.firstMs,
        chain.lastMs,
        (chain.traceIds[0] ?? '').slice(0, 12),
        chain.errorType,
        pathOf(chain),
        patterns.get(chain.template) ?? '',
      ],
    })),
  }
}

const concerns = (chain: ErrorChain, service: string): boolean =>
  chain.steps.some(step => step.service === service) || chain.withstoodBy?.service === service

/** Chains of the window by likeness to those of the named trace; throws if that shows no error here. */
function rankByLikeness(
  chains: readonly ErrorChain[],
  traceId: string,
  sample: Sample,
  names: Names,
  limit: number,
): readonly RankedChain[] {
  const { set } = sample
  const found = set.traceIds.findIndex(id => id.startsWith(traceId.toLowerCase()))
  if (found < 0)
    throw new ArgumentProblem('no_such_entity', 'this trace is not among those read of the window', {
      field: 'trace_id',
      accepted: ['a trace inside the window'],
    })
  const own = errorChains(set, names, sample.lines, found).flatMap(chainFeatures)
  if (own.length === 0)
    throw new ArgumentProblem('no_such_entity', 'no span of this trace failed', { field: 'trace_id' })
  const compared = chains.slice(0, limit)
  const index = new SimilarityIndex(compared.map(chainFeatures))
  return index.search(own, 0.05).flatMap(({ at, similarity }): RankedChain[] => {
    const chain = compared[at]
    return chain === undefined ? [] : [{ ...chain, similarity }]
  })
}

function sentenceOf(chains: readonly RankedChain[], traces: number): string {
  const [first] = chains
  if (first === undefined) return ''
  const [origin] = first.steps
  const end =
    first.withstoodBy === null
      ? `comes out at ${showName(first.steps.at(-1)?.service ?? '')}`
      : `is withstood by ${showName(first.withstoodBy.service)}`
  const which = first.similarity === null ? 'The most frequent' : 'The most alike'
  return `${chains.length} error chains in ${traces} traces with errors. ${which} begins in ${showName(origin?.service ?? '')}, ${end}, and is in ${first.traces} traces.`
}

function nextOf(chains: readonly RankedChain[]): readonly NextCall[] {
  const trace = chains[0]?.traceIds[0]
  return trace === undefined
    ? []
    : [
        {
          tool: 'get_trace',
          arguments: { trace_id: trace, include: ['logs'] },
          why: 'a trace of the first chain',
        },
      ]
}

async function run(args: Arguments, context: ToolContext): Promise<Draft> {
  const { reader, window, deadline, similarEntries } = context
  const service = await optionalService(args.service, reader, window)
  const names = new Names()
  const sample = await readSample(reader, window, names, deadline)
  const templates: readonly TemplateRecord[] = await reader.templates()
  deadline.check()
  const every = errorChains(sample.set, names, sample.lines)
  const wanted = service === undefined ? every : every.filter(chain => concerns(chain, service))
  const chains =
    args.trace_id === undefined
      ? wanted.map(chain => ({ ...chain, similarity: null }))
      : rankByLikeness(wanted, args.trace_id, sample, names, similarEntries)
  if (chains.length === 0) {
    if (sample.set.spans > 0)
      return {
        status: 'healthy',
        answer: `None of ${sample.set.traces} traces read of this window shows ${service === undefined ? 'an error' : `an error that concerns ${showName(service)}`}.`,
        window,
      }
    const { status, because } = await explainEmptiness(reader, window, ['traces'])
    return { status, answer: `No spans in this window: ${because}.`, window }
  }
  const failing = new Set(every.flatMap(chain => chain.members))
  const weight = [...failing].reduce((sum, trace) => sum + (sample.set.weight[trace] ?? 1), 0)
  const patterns = new Map(templates.map(record => [record.number, record.pattern]))
  return {
    status: 'ok',
    answer: sentenceOf(chains, failing.size),
    tables: [chainTable(chains, weight, patterns)],
    window,
    read: { traces: sample.set.traces, share_pct: Math.round(sample.share * 1_000) / 10 },
    notes: [
      'path: where the error began, then who failed with it, in order',
      ...(sample.sampledAtSource ? ['shares are of the traces that the sampled ones stand for'] : []),
      ...(sample.share < 1 ? ['only a share of the spans was read'] : []),
    ],
    next: nextOf(chains),
  }
}

export const getErrorChains: Tool = defineTool({
  name: 'get_error_chains',
  title: 'How errors ran through traces',
  description:
    'Failed requests grouped by how the error ran: where it began, who failed with it, where it came out or was withstood, with error type, log template, counts and a trace. With trace_id: those most like it.',
  input,
  examples: [{ from: 'now-1h' }, { trace_id: '4bf92f35', from: 'now-1h' }, { service: 'payment' }],
  maxTokens: 2_000,
  rows: 30,
  window: 'window',
  memo: false,
  run,
})
