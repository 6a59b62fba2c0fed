/** How long an agent waits for a diagnosis: over MCP, with a fault in the last minutes of much stored data. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { faultyService, faultySystem } from '../measure/faulty-system.ts'
import { quantile, timesOf } from '../measure/quantile.ts'
import { openReadPaths } from '../measure/read-paths.ts'
import { type StoredData, storedData } from '../measure/stored-data.ts'
import { type Subject, startWhole } from '../measure/subjects.ts'
import { openToolCalls, type ToolCalls } from '../measure/tool-calls.ts'
import { spanData, storedSpans } from './reads.ts'
import { type Figure, judged, type Row, shown } from './row.ts'

const minute = 60_000
const faultMs = 10 * minute
/** The hour that a diagnosis compares with, and some. */
const healthyMs = 65 * minute
/** Each question asks a little later than the one before, so that none is answered from memory. */
const stepMs = 5_000

/** When the newest stored span began: the fault ends there. */
async function newestSpan(data: StoredData): Promise<number> {
  const paths = openReadPaths(data)
  const range = { fromMs: 0, toMs: data.untilMs + 60 * minute }
  const { perSignal } = await paths.read(reader => reader.coverage(range))
  await paths.close()
  const newestMs = perSignal.find(({ signal }) => signal === 'traces')?.newestMs
  if (typeof newestMs !== 'number') throw new Error('no spans are stored')
  return newestMs
}

async function sendFault(server: Subject, untilMs: number): Promise<void> {
  const faultAt = untilMs - faultMs
  for (const body of faultySystem({ fromMs: faultAt - healthyMs, faultMs: faultAt, untilMs })) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${server.otlpHttpUrl}/v1/traces`, { method: 'POST', headers, body })
    if (!answer.ok) throw new Error(`the fault was refused: ${await answer.text()}`)
    await answer.arrayBuffer()
  }
  await server.settled()
}

interface Asked {
  readonly id: string
  readonly tool: string
  readonly args: Readonly<Record<string, string>>
}

const questions: readonly Asked[] = [
  { id: 'investigate.p95', tool: 'investigate', args: {} },
  { id: 'investigate.cause', tool: 'root_cause_analysis', args: { service: 'front' } },
]

interface AnswerText {
  readonly facts?: { readonly verdict?: string; readonly first_cause?: string }
}

async function ask(calls: ToolCalls, { tool, args }: Asked, toMs: number): Promise<string> {
  const time = (ms: number): string => new Date(ms).toISOString()
  const text = await calls.call(tool, { ...args, from: time(toMs - faultMs), to: time(toMs) })
  const { facts } = JSON.parse(text) as AnswerText // our own output schema
  if (facts?.first_cause !== faultyService)
    throw new Error(`${tool} names ${facts?.first_cause ?? 'nobody'}: ${text.slice(0, 500)}`)
  return text
}

export const investigate: Row = {
  id: 'investigate',
  title: 'Diagnosis over MCP',
  async run(context) {
    const data = await storedData(context.dataRoot, spanData(context.scale))
    const untilMs = await newestSpan(data)
    // What is sent here must not stay with the data of the other rows.
    const copy = mkdtempSync(join(tmpdir(), 'otelcontext-bench-investigate-'))
    cpSync(data.directory, copy, { recursive: true })
    const server = await startWhole({ dataDirectory: copy })
    const calls = openToolCalls(server.url)
    try {
      context.progress('sending the fault')
      await sendFault(server, untilMs)
      const figures: Figure[] = []
      for (const question of questions) {
        context.progress(question.tool)
        const count = context.scale === 'smoke' ? 3 : 40
        const warmUp = context.scale === 'smoke' ? 1 : 10
        const tokens: number[] = []
        const backOf = (turn: number): number => (count - 1 - turn) * stepMs
        const [first = Number.NaN] = await timesOf(
          1,
          () => ask(calls, question, untilMs - backOf(-warmUp - 1)),
          0,
        )
        const taken = await timesOf(
          count,
          async turn => void tokens.push(countTokens(await ask(calls, question, untilMs - backOf(turn)))),
          warmUp,
        )
        const size = `${shown(storedSpans[context.scale])} spans stored`
        const most = quantile(tokens, 1)
        figures.push(
          judged(
            {
              id: question.id,
              what: `${question.tool} over MCP, ${size}, p95`,
              value: quantile(taken, 0.95),
              unit: 'ms',
              baseline: `median ${shown(quantile(taken, 0.5))} ms, first ${shown(first)}; ${shown(quantile(tokens, 0.5))} tokens, at most ${shown(most)}`,
            },
            { most: 500 },
          ),
        )
      }
      return { figures }
    } finally {
      calls.close()
      await server.finish()
      rmSync(copy, { recursive: true, force: true })
    }
  },
}
