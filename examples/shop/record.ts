/**
 * Records what the shop's own SDKs send while things go wrong, as cases for `npm run bench:incidents`. Whatever is
 * recorded already is kept, so a run that was interrupted goes on where it stopped.
 */
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isRecorded, writeLabels } from './recording/case-folder.ts'
import { type PlannedSession, planRecording } from './recording/plan-recording.ts'
import { recordSession } from './recording/record-session.ts'

const defaults = { seed: '1', rounds: '2', shops: '2', sessions: '1000', baseline: '42', length: '20' }

const help = `npm run demo:record -- [options]

  --out DIR         where cases go (default otelcontext-shop-cases below the directory for temporary files)
  --seed N          what is recorded, and in which order (default ${defaults.seed})
  --rounds N        how often every trouble is met at every place (default ${defaults.rounds})
  --cases A,B       only cases whose names begin so
  --shops N         shops side by side (default ${defaults.shops})
  --sessions N      end after so many sessions; run again to go on
  --baseline SECS   healthy time before the cases of a session (default ${defaults.baseline})
  --length SECS     length of a case (default ${defaults.length})
  --max-stalls N    highest share of time, 0 to 1, in which the machine may be too busy (default 0.5)
  --list            what is recorded and what is not
  --help            this text

A session is one shop and some cases, and takes about four minutes. Half of the pairs of fault and service
go to the data set "develop", half to "report": develop on the first alone. What was recorded while the
machine was busy otherwise for a twentieth of the time or more goes to "develop-busy" and "report-busy". Exit codes: 0 everything is recorded,
1 something is missing, 2 bad usage.`

interface Options {
  readonly directory: string
  /** All of the plan, and what of it is to be recorded. */
  readonly plan: readonly PlannedSession[]
  readonly sessions: readonly PlannedSession[]
  readonly shops: number
  readonly maxSessions: number
  readonly baselineSeconds: number
  readonly caseSeconds: number
  readonly maxStalls: number
  readonly list: boolean
}

const options = readOptions()
const stopping = new AbortController()
process.on('SIGINT', () => stopping.abort())
process.on('SIGTERM', () => stopping.abort())
if (options.list) list(options)
else await record(options)
process.exit(openSessions(options).length === 0 ? 0 : 1)

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string', default: join(tmpdir(), 'otelcontext-shop-cases') },
        seed: { type: 'string', default: defaults.seed },
        rounds: { type: 'string', default: defaults.rounds },
        cases: { type: 'string', default: '' },
        shops: { type: 'string', default: defaults.shops },
        sessions: { type: 'string', default: defaults.sessions },
        baseline: { type: 'string', default: defaults.baseline },
        length: { type: 'string', default: defaults.length },
        'max-stalls': { type: 'string', default: '0.5' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      process.exit(0)
    }
    const beginnings = values.cases.split(',')
    const plan = planRecording({ seed: values.seed, rounds: number('rounds', values.rounds, 1, 20) })
    return {
      directory: resolve(values.out),
      plan,
      sessions: plan.map(session => ({
        ...session,
        cases: session.cases.filter(({ name }) => beginnings.some(beginning => name.startsWith(beginning))),
      })),
      shops: number('shops', values.shops, 1, 16),
      maxSessions: number('sessions', values.sessions, 1, 1_000),
      baselineSeconds: number('baseline', values.baseline, 10, 3_600),
      caseSeconds: number('length', values.length, 5, 3_600),
      maxStalls: number('max-stalls', values['max-stalls'], 0, 1),
      list: values.list,
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exit(2)
  }
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text !== '' && value >= least && value <= most) return value
  throw new Error(`--${name} takes ${least} to ${most}, not "${text}"`)
}

function openSessions({ directory, sessions }: Options): readonly PlannedSession[] {
  return sessions.filter(({ cases }) => cases.some(plan => !isRecorded(directory, plan)))
}

async function record(chosen: Options): Promise<void> {
  const { directory, plan, baselineSeconds, caseSeconds, maxStalls } = chosen
  const started = performance.now()
  const say = (line: string): void =>
    console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}`)
  mkdirSync(directory, { recursive: true })
  writeLabels(directory, plan)
  const open = openSessions(chosen).slice(0, chosen.maxSessions)
  say(`${open.length} sessions, ${chosen.shops} at a time, into ${directory}`)
  const next = open.values()
  let last: Promise<unknown> = Promise.resolve()
  const oneByOne = <T>(start: () => Promise<T>): Promise<T> => {
    const mine = last.then(start)
    last = mine.catch(() => undefined)
    return mine
  }
  const shop = async (): Promise<void> => {
    for (const session of next) {
      if (stopping.signal.aborted) return
      try {
        await recordSession({
          directory,
          session,
          timing: { baselineSeconds, caseSeconds },
          maxStalls,
          say,
          signal: stopping.signal,
          oneByOne,
        })
      } catch (error) {
        say(`${session.name} failed: ${error instanceof Error ? error.message : String(error)}`)
      }
      writeLabels(directory, plan)
    }
  }
  await Promise.all(Array.from({ length: chosen.shops }, shop))
  say(progress(chosen))
}

function list(chosen: Options): void {
  for (const { name, style, cases } of chosen.sessions) {
    for (const plan of cases) {
      const state = isRecorded(chosen.directory, plan) ? 'recorded' : 'open'
      console.log(
        [name, style.name, plan.dataset, plan.name, state, plan.places.join('+'), plan.detail].join('  '),
      )
    }
  }
  console.log(progress(chosen))
}

function progress({ directory, sessions }: Options): string {
  const cases = sessions.flatMap(session => session.cases)
  const done = cases.filter(plan => isRecorded(directory, plan))
  const faults = done.filter(plan => plan.places.length > 0).length
  return `${faults} cases with a fault and ${done.length - faults} without are recorded, ${cases.length - done.length} are open`
}
