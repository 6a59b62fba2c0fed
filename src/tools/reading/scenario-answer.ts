/** A played scenario as an answer: sentence, figures, tables, and what it takes for granted. */
import type { Lateness, Replay, ReplayedRequests, Scenario } from '../../graph/scenario/replay.ts'
import type { Spread } from '../../graph/scenario/spread.ts'
import type { TimeRange } from '../../model/time.ts'
import type { Column, Draft, Fact, NextCall, Row, Table } from '../answer/draft.ts'
import { shortNumber } from '../answer/render.ts'
import { formatTime } from '../arguments/time-argument.ts'
import { showName } from '../text/name.ts'
import type { PlayedScenario } from './scenario.ts'

const percent = (share: number): number => Math.round(share * 1_000) / 10

/** Requests through the target below which shares are rough. */
const fewRequests = 30

function outcomeColumns(scenario: Scenario): readonly Column[] {
  const names =
    scenario.kind === 'fails'
      ? ['fails_pct', 'fails_low_pct', 'fails_high_pct']
      : ['later_pct', 'hidden_pct', 'mean_later_ms', 'p50_ms', 'p50_then_ms', 'p95_ms', 'p95_then_ms']
  return names.map(name => ({ name, kind: 'word' as const }))
}

function outcomeCells({ fails, later }: ReplayedRequests): readonly (number | null)[] {
  if (fails !== null) return [percent(fails.share), percent(fails.low), percent(fails.high)]
  if (later === null) return []
  const { share, hiddenShare, meanMs, p50Ms, p50ThenMs, p95Ms, p95ThenMs } = later
  return [percent(share), percent(hiddenShare), meanMs, p50Ms, p50ThenMs, p95Ms, p95ThenMs]
}

function requestTable(
  name: string,
  rows: readonly ReplayedRequests[],
  scenario: Scenario,
  importance: number,
): Table {
  const operations = rows.some(row => row.operation !== '')
  return {
    name,
    columns: [
      { name: 'service', kind: 'svc' },
      ...(operations ? [{ name: 'operation', kind: 'op' } as const] : []),
      { name: 'replayed', kind: 'word' },
      { name: 'through_pct', kind: 'word' },
      ...outcomeColumns(scenario),
    ],
    rows: rows.map(
      (row, at): Row => ({
        importance: importance - (row.through === 0 ? 40 : 0) - at * 0.1,
        cells: [
          row.service,
          ...(operations ? [row.operation] : []),
          row.replayed,
          percent(row.throughShare),
          ...outcomeCells(row),
        ],
      }),
    ),
    paged: false,
  }
}

/** Spread by edge; `assumed` where nothing was measured. */
function spreadTable(spread: readonly Spread[]): Table {
  return {
    name: 'edges',
    columns: [
      { name: 'caller', kind: 'svc' },
      { name: 'callee', kind: 'svc' },
      { name: 'callee_failed', kind: 'word' },
      { name: 'caller_failed_too', kind: 'word' },
      { name: 'probability', kind: 'word' },
      { name: 'low', kind: 'word' },
      { name: 'high', kind: 'word' },
      { name: 'basis', kind: 'word' },
    ],
    rows: spread.map((edge, at) => ({
      importance: 90 - at * 0.1,
      cells: [
        edge.caller,
        edge.callee,
        edge.calleeFailed,
        edge.callerFailed,
        edge.probability ?? 1,
        edge.low,
        edge.high,
        edge.probability === null ? 'assumed' : 'measured',
      ],
    })),
    paged: false,
  }
}

const ms = (value: number): string => `${shortNumber(value)} ms`

function ifWords({ scenario, target }: PlayedScenario): string {
  const name = showName(target.service)
  const what = target.operation === undefined ? name : `${showName(target.operation, 'op')} of ${name}`
  return scenario.kind === 'fails' ? `If ${what} failed` : `If ${what} took ${ms(scenario.delayMs)} longer`
}

function failSentence(played: PlayedScenario, { all, spread }: Replay): string {
  const { fails } = all
  if (fails === null) return ''
  const assumed = spread.filter(edge => edge.probability === null).length
  const range = `${percent(fails.low)} to ${percent(fails.high)} %`
  const basis =
    spread.length === 0
      ? ' Nobody was seen waiting for it.'
      : assumed === 0
        ? ` By the measured chances of all ${spread.length} edges on the way it lies within ${range}.`
        : ` Failures were never seen on ${assumed} of ${spread.length} edges on the way; there a caller that waits is taken to fail, so it may be ${range}.`
  return `${ifWords(played)}, ${percent(fails.share)} % of the requests from outside would fail; ${percent(all.throughShare)} % lead to it.${basis}`
}

function laterSentence(played: PlayedScenario, { all }: Replay): string {
  const later = all.later as Lateness // of this scenario
  const hidden =
    later.hiddenShare > 0
      ? ` For ${percent(later.hiddenShare)} % of those that lead to it other work hides it, or nobody waits.`
      : ''
  return `${ifWords(played)}, ${percent(later.share)} % of the requests from outside would end later, all of them by ${ms(later.meanMs)} on average: median ${ms(later.p50Ms)} then ${ms(later.p50ThenMs)}, p95 ${ms(later.p95Ms)} then ${ms(later.p95ThenMs)}.${hidden}`
}

const assumptions: Readonly<Record<Scenario['kind'], readonly string[]>> = {
  fails: [
    'assumed: every such call fails, as fast as calls fail or answer now; the same requests and calls as in the window; a request fails or not independently for each service it calls; no retry storm, no queueing, no time-out or fallback that the window did not show',
  ],
  slower: [
    'assumed: every such request takes that much longer itself; a caller waits for what ended before it did, and goes on when the last of it has ended; the same requests and calls as in the window; no queueing, no retry storm, no time-outs',
  ],
}

function notesOf({ replay, scenario, sampledAtSource, share, orphans }: PlayedScenario): readonly string[] {
  const few = replay !== null && replay.all.through < fewRequests
  return [
    ...assumptions[scenario.kind],
    ...(few ? [`few: ${replay.all.through} requests from outside lead to it, so shares are rough`] : []),
    ...(sampledAtSource
      ? ['the senders sampled their traces: each counts for as many as its sampling probability says']
      : []),
    ...(share < 1 ? ['only a share of the spans was replayed'] : []),
    ...(orphans > 0
      ? ['requests cut off from their parent count as from outside only where most of their kind are']
      : []),
  ]
}

function factsOf({ all, spread }: Replay, { scenario }: PlayedScenario): Readonly<Record<string, Fact>> {
  const range = { through_low_pct: percent(all.throughLow), through_high_pct: percent(all.throughHigh) }
  if (scenario.kind === 'fails' && all.fails !== null) {
    return {
      fails_pct: percent(all.fails.share),
      fails_low_pct: percent(all.fails.low),
      fails_high_pct: percent(all.fails.high),
      through_pct: percent(all.throughShare),
      ...range,
      edges_assumed: spread.filter(edge => edge.probability === null).length,
    }
  }
  const { later } = all
  return {
    later_pct: percent(later?.share ?? 0),
    through_pct: percent(all.throughShare),
    ...range,
    ...(later === null ? {} : { p99_ms: later.p99Ms, p99_then_ms: later.p99ThenMs }),
  }
}

/** Half a day: long enough to hold a failure or two, short enough to be read. */
const widerMs = 12 * 3_600_000

function nextOf(played: PlayedScenario, window: TimeRange): readonly NextCall[] {
  const { replay, scenario, target } = played
  const service = showName(target.service)
  const unmeasured = scenario.kind === 'fails' && replay?.spread.some(edge => edge.probability === null)
  const calls: NextCall[] = []
  if (unmeasured === true && window.toMs - window.fromMs < widerMs)
    calls.push({
      tool: 'impact_analysis',
      arguments: {
        service,
        scenario: 'fails',
        ...(target.operation === undefined ? {} : { operation: showName(target.operation, 'op') }),
        from: formatTime(window.toMs - widerMs),
        to: formatTime(window.toMs),
      },
      why: 'a longer window may hold failures that show how they spread',
    })
  calls.push({
    tool: 'search_traces',
    arguments: { service, limit: 5, from: formatTime(window.fromMs), to: formatTime(window.toMs) },
    why: 'requests that were replayed',
  })
  return calls
}

/** Null if nothing could be replayed: no trace leads to the target, or none that was read has its request from outside. */
export function scenarioDraft(played: PlayedScenario, window: TimeRange): Draft | null {
  const { replay, scenario } = played
  if (replay === null || replay.all.replayed === 0) return null
  const answer = scenario.kind === 'fails' ? failSentence(played, replay) : laterSentence(played, replay)
  return {
    status: 'ok',
    answer,
    facts: factsOf(replay, played),
    tables: [
      requestTable('entry_points', replay.entryPoints, scenario, 100),
      requestTable('callers', replay.callers, scenario, 80),
      spreadTable(replay.spread),
    ].filter(table => table.rows.length > 0),
    window,
    read: {
      traces: played.traces,
      share_pct: percent(played.share),
      requests: replay.all.replayed,
      requests_through: replay.all.through,
    },
    notes: notesOf(played),
    next: nextOf(played, window),
  }
}
