/**
 * The main job, once: server and shop come up, something goes wrong in the shop, an MCP client asks
 * `investigate`, the judge says whether the answer is right. Exit code 0 only if it is.
 */
import { parseArgs } from 'node:util'
import { defaultTiming, playRound } from './orchestration/round.ts'
import { defaultScenario, scenarioNamed, scenarios } from './orchestration/scenarios.ts'
import { showAnswer } from './orchestration/show-answer.ts'
import { openStage, type Stage } from './orchestration/stage.ts'

const help = `npm run demo -- [options]

  --fault NAME      what goes wrong (default ${defaultScenario}); see --list
  --list            what can go wrong
  --keep            stay up afterwards and print how to connect an MCP host; Ctrl-C ends it
  --transport KIND  ask over http (default) or stdio
  --baseline SECS   healthy time before (default ${defaultTiming.baselineSeconds})
  --duration SECS   time between the event and the question (default ${defaultTiming.eventSeconds})
  --json            print the answer as the model sees it
  --help            this text

Exit codes: 0 the first cause is right and firm, 1 it is not or something failed, 2 bad usage.`

const started = performance.now()
const say = (line: string): void =>
  console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`)

class Interrupted extends Error {}

const options = readOptions()
if (options !== null) process.exit(await run(options))

interface Options {
  readonly scenario: string
  readonly keep: boolean
  readonly transport: 'http' | 'stdio'
  readonly baselineSeconds: number
  readonly eventSeconds: number
  readonly json: boolean
}

/** Null when there is nothing left to do. */
function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        fault: { type: 'string', default: defaultScenario },
        list: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        transport: { type: 'string', default: 'http' },
        baseline: { type: 'string', default: String(defaultTiming.baselineSeconds) },
        duration: { type: 'string', default: String(defaultTiming.eventSeconds) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) console.log(help)
    if (values.list) for (const each of scenarios) console.log(`${each.name.padEnd(20)} ${each.happening}`)
    if (values.help || values.list) return null
    return {
      scenario: scenarioNamed(values.fault).name,
      keep: values.keep,
      transport: oneOf('transport', values.transport),
      baselineSeconds: seconds('baseline', values.baseline),
      eventSeconds: seconds('duration', values.duration),
      json: values.json,
    }
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${help}`)
    process.exit(2)
  }
}

function seconds(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 5 && value <= 3600) return value
  throw new Error(`--${name} takes 5 to 3600 seconds, not "${text}"`)
}

function oneOf(name: string, text: string): 'http' | 'stdio' {
  if (text === 'http' || text === 'stdio') return text
  throw new Error(`--${name} takes http or stdio, not "${text}"`)
}

async function run(chosen: Options): Promise<number> {
  const ended = Promise.withResolvers<never>()
  // Rejects at any time, also while nobody waits for it.
  ended.promise.catch(() => undefined)
  const opener = new AbortController()
  const interrupt = (): void => {
    opener.abort()
    ended.reject(new Interrupted())
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  let code = 1
  const opening = openStage({
    onLost: sentence => ended.reject(new Error(sentence)),
    signal: opener.signal,
  })
  try {
    say('starting the server on an empty directory, and the shop: ten services in eleven processes,')
    say('a database, a key-value store, a broker and a card network that send no telemetry, and shoppers')
    const stage = await Promise.race([opening, ended.promise])
    say(`server at ${stage.server.url}; OTLP/gRPC, HTTP/protobuf and HTTP/JSON are all in use`)
    code = (await Promise.race([play(stage, chosen), ended.promise])) ? 0 : 1
    if (chosen.keep) {
      explainKeep(stage)
      await ended.promise
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) {
      console.error(messageOf(error))
      code = 1
    }
  }
  say('stopping everything')
  const stage = await opening.catch(() => null)
  await stage?.stop()
  return code
}

async function play(stage: Stage, chosen: Options): Promise<boolean> {
  const scenario = scenarioNamed(chosen.scenario)
  const { answer, judgement } = await playRound({
    stage,
    scenario,
    timing: chosen,
    transport: chosen.transport,
    say,
  })
  say('the answer:')
  for (const line of chosen.json ? [answer.text] : showAnswer(answer.text)) console.log(`        ${line}`)
  say(`${answer.tokens} tokens (o200k), ${answer.milliseconds.toFixed(0)} ms`)
  say(`the judge: ${judgement.right ? 'right' : 'wrong'}, ${judgement.why}`)
  return judgement.right
}

function explainKeep({ server, dataDirectory }: Stage): void {
  say('everything stays up; connect a host, or send telemetry of your own:')
  console.log(`
  MCP over HTTP   ${server.url}/mcp
                  claude mcp add --transport http otelcontext ${server.url}/mcp
  MCP over stdio  DATA_DIR=${dataDirectory} npx otelcontext mcp
  shell           DATA_DIR=${dataDirectory} npx otelcontext investigate --since 1m
  OTLP            grpc ${server.grpcAddress}, http ${server.otlpHttpUrl}

  Ctrl-C ends it.
`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
