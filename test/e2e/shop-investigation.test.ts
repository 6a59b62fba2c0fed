/** The main job with nothing replaced: real processes, OpenTelemetry's SDKs, the real server, an MCP client. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAnswer, tableRows } from '../../examples/shop/orchestration/answer.ts'
import { ask } from '../../examples/shop/orchestration/ask.ts'
import { playRound, type Round } from '../../examples/shop/orchestration/round.ts'
import { scenarioNamed } from '../../examples/shop/orchestration/scenarios.ts'
import { openStage, type Stage } from '../../examples/shop/orchestration/stage.ts'
import { field } from '../../examples/shop/runtime/fields.ts'

const lost: string[] = []
let stage: Stage
let round: Round
let answer: unknown

beforeAll(async () => {
  stage = await openStage({ onLost: sentence => lost.push(sentence) })
  round = await playRound({
    stage,
    scenario: scenarioNamed('errors'),
    timing: { baselineSeconds: 20, eventSeconds: 20 },
    transport: 'http',
    say: () => undefined,
  })
  answer = JSON.parse(round.answer.text)
}, 120_000)

afterAll(async () => {
  await stage.stop()
}, 30_000)

describe('a shop whose payment service fails', () => {
  it('is diagnosed firmly and rightly, by the judgement of another process', () => {
    expect(lost).toEqual([])
    expect(round.judgement).toEqual({ right: true, why: 'as it should be' })
  })

  it('gets an answer of at most 2,000 tokens that names who suffers and what it rests on', () => {
    expect(round.answer.tokens).toBeLessThanOrEqual(2_000)
    expect(tableRows(answer, 'affected').map(row => row['service'])).toEqual(
      expect.arrayContaining(['payment', 'checkout', 'gateway']),
    )
    expect(Number(field(field(field(answer, 'coverage'), 'read'), 'spans'))).toBeGreaterThan(500)
  })

  it('cites a trace that can be fetched and holds the failed charge', async () => {
    const traceId = String(tableRows(answer, 'exemplars')[0]?.['trace_id'])
    expect(traceId).toMatch(/^[0-9a-f]{32}$/)
    const trace = await ask(
      { kind: 'http', url: stage.server.url },
      { tool: 'get_trace', arguments: { trace_id: traceId } },
    )
    expect(trace.failed).toBe(false)
    expect(trace.text).toContain('POST /charges')
  })

  it('gets the same verdict over stdio, forwarded to the process that owns the data', async () => {
    const [from, to] = field(answer, 'window') as [string, string] // as every answer with a window has it
    const overStdio = await ask(
      { kind: 'stdio', dataDirectory: stage.dataDirectory },
      { tool: 'investigate', arguments: { from, to } },
    )
    const { verdict, causes } = readAnswer(overStdio.text)
    expect(['likely', 'confirmed']).toContain(verdict)
    expect(causes[0]?.service).toBe('payment')
  })
})
