/** Asks the MCP tool `investigate` and reads what counts out of the answer. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { IncidentCase, Window } from './cases.ts'

export interface RankedCause {
  readonly service: string
  readonly score: number
}

export interface Investigated {
  readonly verdict: string
  readonly causes: readonly RankedCause[]
  readonly tokens: number
  /** From call to answer, without the connection. */
  readonly ms: number
}

/** What the answer would have been so long after the window began. */
export interface EarlierAnswer {
  readonly seconds: number
  readonly verdict: string
  readonly first: string
}

/** Enough for every feature of five causes; a shorter answer leaves rows out and says so. */
const roomyTokens = 8_000

/** Connects, asks once, disconnects. Throws when the answer is an error or no answer at all. */
export async function investigate(url: string, incident: IncidentCase): Promise<Investigated> {
  return await connected(url, client => ask(client, incident))
}

/** Asks about a window that grows by so many seconds up to its whole length, each time as if it ended there. */
export async function investigateGrowing(
  url: string,
  incident: IncidentCase,
  stepSeconds: number,
): Promise<readonly EarlierAnswer[]> {
  const { fromMs, toMs } = incident.window
  const answers: EarlierAnswer[] = []
  await connected(url, async client => {
    for (let endMs = fromMs + stepSeconds * 1000; ; endMs += stepSeconds * 1000) {
      const window = { fromMs, toMs: Math.min(endMs, toMs) }
      const { verdict, causes } = await ask(client, { ...incident, window })
      const seconds = (window.toMs - fromMs) / 1000
      answers.push({ seconds, verdict, first: causes[0]?.service ?? '' })
      if (window.toMs === toMs) return
    }
  })
  return answers
}

/** The ranking's own tool, its answer as it came: with every feature, its value and its weight. */
export async function rankingAnswer(url: string, incident: IncidentCase): Promise<string> {
  return await connected(url, async client => {
    const args = { ...argumentsOf(incident), max_tokens: roomyTokens }
    const result = await client.callTool({ name: 'root_cause_analysis', arguments: args })
    const block = result.content.find(each => each.type === 'text')
    const text = block?.type === 'text' ? block.text : ''
    if (result.isError === true) throw new Error(`root_cause_analysis refused: ${text.slice(0, 500)}`)
    return text
  })
}

/** The answer of `investigate` as it came. */
export async function wholeAnswer(url: string, incident: IncidentCase): Promise<string> {
  return await connected(url, async client => {
    const result = await client.callTool({ name: 'investigate', arguments: argumentsOf(incident) })
    const block = result.content.find(each => each.type === 'text')
    const text = block?.type === 'text' ? block.text : ''
    if (result.isError === true) throw new Error(`investigate refused: ${text.slice(0, 500)}`)
    return text
  })
}

async function connected<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(
    { name: 'bench-incidents', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  )
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url)))
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

async function ask(client: Client, incident: IncidentCase): Promise<Investigated> {
  const started = performance.now()
  const result = await client.callTool({ name: 'investigate', arguments: argumentsOf(incident) })
  const ms = Math.round((performance.now() - started) * 10) / 10
  const block = result.content.find(each => each.type === 'text')
  const text = block?.type === 'text' ? block.text : ''
  if (result.isError === true) throw new Error(`investigate refused: ${text.slice(0, 500)}`)
  return { ...readAnswer(text), tokens: countTokens(text), ms }
}

/** What is asked about a case, as the tool takes it. */
export function argumentsOf({ window, baseline, service }: IncidentCase): Record<string, string> {
  const time = (ms: number) => new Date(ms).toISOString()
  const windows = (of: Window, prefix: string) => ({
    [`${prefix}from`]: time(of.fromMs),
    [`${prefix}to`]: time(of.toMs),
  })
  const named = service === '' ? {} : { service }
  return { ...windows(window, ''), ...windows(baseline, 'baseline_'), ...named }
}

interface AnswerText {
  readonly facts?: { readonly verdict?: string }
  readonly tables?: Readonly<
    Record<string, { readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }>
  >
}

export function readAnswer(text: string): Pick<Investigated, 'verdict' | 'causes'> {
  const answer = JSON.parse(text) as AnswerText // our own output schema
  const verdict = answer.facts?.verdict
  if (verdict === undefined) throw new Error(`an answer without a verdict: ${text.slice(0, 300)}`)
  const table = answer.tables?.['causes']
  const service = table?.columns.indexOf('service') ?? -1
  const score = table?.columns.indexOf('score') ?? -1
  const causes = (table?.rows ?? []).map(row => ({
    service: String(row[service]),
    score: Number(row[score]),
  }))
  return { verdict, causes }
}
