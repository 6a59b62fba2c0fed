/** One round: a healthy shop, something happens to it, the question, the judgement. */
import { pause } from '../runtime/pause.ts'
import { type Answer, ask, type Question, type Route } from './ask.ts'
import { askJudge, type Judgement } from './ask-judge.ts'
import { journeysPerSecond, type Scenario } from './scenarios.ts'
import type { Stage } from './stage.ts'

export interface Timing {
  /** Healthy time before. */
  readonly baselineSeconds: number
  /** Time between the event and the question. */
  readonly eventSeconds: number
}

export interface RoundOptions {
  readonly stage: Stage
  readonly scenario: Scenario
  readonly timing: Timing
  readonly transport: Route['kind']
  /** Tells people what is being done. */
  readonly say: (line: string) => void
}

export interface Round {
  readonly question: Question
  readonly answer: Answer
  readonly judgement: Judgement
}

/** Long enough for people to believe in it, short enough for a demonstration. */
export const defaultTiming: Timing = { baselineSeconds: 30, eventSeconds: 22 }

/** What shoppers made the shop do before the round begins is start-up, and no baseline. */
const warmUpSeconds = 6

export async function playRound(options: RoundOptions): Promise<Round> {
  const { stage, scenario, timing, say } = options
  const { shop } = stage
  shop.setPace(journeysPerSecond)
  say(
    `shoppers come, about ${journeysPerSecond * 6} requests per second; ${timing.baselineSeconds} s of healthy shop`,
  )
  await pause((warmUpSeconds + timing.baselineSeconds) * 1000)
  const before = shop.figures()
  say(`${before.requests} requests so far, ${before.failures} failed`)
  say(`now: ${scenario.happening}`)
  const happenedMs = Date.now()
  await scenario.begin(shop)
  await pause(happenedMs + timing.eventSeconds * 1000 - Date.now())
  const after = shop.figures()
  say(
    `${timing.eventSeconds} s later: ${after.requests - before.requests} more requests, ${after.failures - before.failures} failed`,
  )
  const question = {
    tool: 'investigate',
    // What a person on call knows: since when, and nothing else. Absolute, because a busy machine may take
    // its time until the question arrives.
    arguments: { from: new Date(happenedMs).toISOString() },
  }
  say(`the question, over MCP: ${question.tool} ${JSON.stringify(question.arguments)}`)
  const route: Route =
    options.transport === 'http'
      ? { kind: 'http', url: stage.server.url }
      : { kind: 'stdio', dataDirectory: stage.dataDirectory }
  const answer = await ask(route, question)
  if (answer.failed) throw new Error(`the server refused the question: ${answer.text}`)
  return { question, answer, judgement: await askJudge(scenario.name, answer.text) }
}
