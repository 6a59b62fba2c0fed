/**
 * `npm run fuzz -- --minutes N [--seed S] [--state FILE] [--only TARGET] [--input NUMBER]`: random input for everything
 * that reads what others wrote. Goes on where a state file says the last run stopped; `--only` with `--input`
 * repeats one. Ends with code 1 if anything was thrown that is no refusal, or took more than 250 ms.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type FuzzFigures, feed, fuzz, noFigures } from './run-fuzz.ts'
import { makeTargets } from './targets.ts'

interface State extends FuzzFigures {
  readonly seed: number
  next: number
  seconds: number
  firstRssMb: number
  peakRssMb: number
}

/** Inputs of each target between two looks at the clock. */
const roundInputs = 100
const sayMs = 10_000

const help = `npm run fuzz -- [options]

  --minutes N     how long (default 1)
  --seed N        where inputs come from (default 1)
  --state FILE    figures so far; a run goes on where it says the last one stopped
  --only TARGET   one target alone
  --input N       with --only: that input again
  --help          this text

Exit codes: 0 nothing found, 1 something was thrown that is no refusal or took more than 250 ms.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    state: { type: 'string' },
    only: { type: 'string' },
    input: { type: 'string' },
  },
})

if (values.help) {
  process.stdout.write(`${help}\n`)
  process.exit(0)
}

const rssMb = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20)

function readState(seed: number): State {
  if (values.state !== undefined && existsSync(values.state)) {
    const read = JSON.parse(readFileSync(values.state, 'utf8')) as State // written below
    if (read.seed === seed) return read
  }
  return { ...noFigures(), seed, next: 0, seconds: 0, firstRssMb: 0, peakRssMb: 0 }
}

function say(state: State): void {
  const rate = Math.round(state.inputs / state.seconds)
  process.stdout.write(
    `seed ${state.seed}: ${state.inputs} inputs, ${(state.bytes / 1e6).toFixed(0)} MB, ${rate}/s, ` +
      `${((100 * state.refused) / state.inputs).toFixed(0)} % refused, longest ${state.slowestMs.toFixed(1)} ms ` +
      `(${state.slowest}), memory ${state.firstRssMb} to ${rssMb()} MB, peak ${state.peakRssMb}, ` +
      `${state.failures.length} failures\n`,
  )
}

async function run(): Promise<void> {
  const seed = Number(values.seed)
  const targets = makeTargets().filter(target => values.only === undefined || target.name === values.only)
  const state = readState(seed)
  if (values.input !== undefined) {
    for (const target of targets)
      process.stdout.write(`${feed(target, seed, Number(values.input), state).toFixed(1)} ms\n`)
  } else {
    const end = performance.now() + Number(values.minutes) * 60_000
    let saidMs = performance.now()
    while (performance.now() < end && state.failures.length < 20) {
      const startedMs = performance.now()
      await fuzz(targets, seed, state.next, state.next + roundInputs, state)
      state.next += roundInputs
      state.seconds += (performance.now() - startedMs) / 1_000
      if (state.firstRssMb === 0) state.firstRssMb = rssMb()
      state.peakRssMb = Math.max(state.peakRssMb, rssMb())
      if (values.state !== undefined) writeFileSync(values.state, JSON.stringify(state))
      if (performance.now() - saidMs < sayMs) continue
      saidMs = performance.now()
      say(state)
    }
    say(state)
  }
  for (const { target, input, problem } of state.failures.slice(0, 20))
    process.stdout.write(`\n--seed ${seed} --only ${target} --input ${input}\n${problem}\n`)
  process.exitCode = state.failures.length === 0 ? 0 : 1
}

await run()
