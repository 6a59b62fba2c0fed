/**
 * Every fault several times in a row and every harmless event, each judged; writes the table.
 *
 * Each round has a server on an empty directory and a shop of its own. Sharing either would be quicker, but
 * then an earlier round could help the answer (a longer baseline) or spoil it (a fault within the baseline).
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readAnswer } from './orchestration/answer.ts'
import { defaultTiming, playRound } from './orchestration/round.ts'
import { type Scenario, scenarioNamed, scenarios } from './orchestration/scenarios.ts'
import { openStage, type Stage } from './orchestration/stage.ts'

const help = `npm run demo:faults -- [options]

  --repeat N      rounds of each fault (default 5)
  --harmless N    rounds of each harmless event (default 1)
  --only A,B      these faults and events alone
  --answers DIR   keep every answer as a JSON file there
  --out FILE      table as FILE.md and FILE.json (default docs/reference/demo-faults)
  --help          this text

Exit codes: 0 every answer was right, 1 one was not or a round failed, 2 bad usage.`

interface Played {
  readonly scenario: string
  readonly round: number
  readonly right: boolean
  readonly why: string
  readonly verdict: string
  readonly firstCause: string
  readonly kind: string
  readonly score: number
  readonly tokens: number
  readonly milliseconds: number
}

const options = readOptions()

interface Options {
  readonly rounds: readonly { readonly scenario: Scenario; readonly round: number }[]
  /** Empty: answers are not kept. */
  readonly answers: string
  readonly out: string
}

let stage: Stage | undefined
const interruption = new AbortController()
const interrupt = (): void => {
  interruption.abort()
  void stage?.stop()
}
process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)

const played: Played[] = []
for (const { scenario, round } of options.rounds) {
  if (interruption.signal.aborted) break
  const result = await play(scenario, round)
  played.push(result)
  console.log(
    `${result.scenario.padEnd(20)} ${round}  ${result.right ? 'right' : 'WRONG'}  ${result.verdict} ${result.firstCause} ${result.kind} ${result.score}  ${result.tokens} tokens  ${result.milliseconds} ms  ${result.why}`,
  )
}
const table = formatTable(played)
console.log(`\n${table}`)
mkdirSync(dirname(resolve(options.out)), { recursive: true })
writeFileSync(`${options.out}.md`, table)
writeFileSync(`${options.out}.json`, `${JSON.stringify(played, null, 2)}\n`)
process.exit(!interruption.signal.aborted && played.every(each => each.right) ? 0 : 1)

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        repeat: { type: 'string', default: '5' },
        harmless: { type: 'string', default: '1' },
        only: { type: 'string', default: '' },
        answers: { type: 'string', default: '' },
        out: { type: 'string', default: 'docs/reference/demo-faults' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      process.exit(0)
    }
    const chosen = values.only === '' ? scenarios : values.only.split(',').map(scenarioNamed)
    const repeat = wholeNumber('repeat', values.repeat)
    const harmless = wholeNumber('harmless', values.harmless)
    const rounds = chosen.flatMap(scenario =>
      Array.from({ length: scenario.harmful ? repeat : harmless }, (_, index) => ({
        scenario,
        round: index + 1,
      })),
    )
    return { rounds, answers: values.answers, out: values.out }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exit(2)
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw new Error(`--${name} takes a whole number up to 999, not "${text}"`)
}

/** A round that cannot be played is a wrong one, with the reason. */
async function play(scenario: Scenario, round: number): Promise<Played> {
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  try {
    stage = await openStage({
      onLost: sentence => failed.reject(new Error(sentence)),
      signal: interruption.signal,
    })
    const playing = playRound({
      stage,
      scenario,
      timing: defaultTiming,
      transport: 'http',
      say: () => undefined,
    })
    const { answer, judgement } = await Promise.race([playing, failed.promise])
    if (options.answers !== '') {
      mkdirSync(options.answers, { recursive: true })
      writeFileSync(join(options.answers, `${scenario.name}-${round}.json`), answer.text)
    }
    const { verdict, causes } = readAnswer(answer.text)
    const first = causes[0]
    return {
      scenario: scenario.name,
      round,
      right: judgement.right,
      why: judgement.why,
      verdict,
      firstCause: first?.service ?? '',
      kind: first?.kind ?? '',
      score: first?.score ?? 0,
      tokens: answer.tokens,
      milliseconds: Math.round(answer.milliseconds),
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return {
      scenario: scenario.name,
      round,
      right: false,
      why,
      verdict: '',
      firstCause: '',
      kind: '',
      score: 0,
      tokens: 0,
      milliseconds: 0,
    }
  } finally {
    await stage?.stop()
    stage = undefined
  }
}

function formatTable(rounds: readonly Played[]): string {
  const head =
    '| scenario | right | verdict | first cause | kind | score | tokens | ms |\n|---|---|---|---|---|---|---|---|'
  const groups = Map.groupBy(rounds, each => each.scenario)
  const lines = [...groups].map(([name, group]) => {
    const each = (show: (round: Played) => string): string =>
      [...new Set(group.map(show))].join(', ') || 'none'
    const range = (pick: (round: Played) => number): string => {
      const numbers = group.map(pick)
      return `${Math.min(...numbers)} to ${Math.max(...numbers)}`
    }
    const right = group.filter(round => round.right).length
    return `| ${name} | ${right} of ${group.length} | ${each(round => round.verdict)} | ${each(round => round.firstCause) || 'none'} | ${each(round => round.kind)} | ${range(round => round.score)} | ${range(round => round.tokens)} | ${range(round => round.milliseconds)} |`
  })
  return `${head}\n${lines.join('\n')}\n`
}
