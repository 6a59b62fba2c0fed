/** The loop of commands that try the compiled server in series, each with a seed of its own. */
import { type CompiledServer, compileServer } from '../../scripts/compiled-server.ts'
import { figuresText, Progress, say } from './command.ts'

/** Figures of a series that have to be 0. */
const findings = ['lost', 'twice', 'invented', 'deadLetters', 'late', 'badCodes']

export interface SeriesPlan {
  /** As the last line names it. */
  readonly name: string
  readonly total: number
  /** How many of the total a series does; each has the next seed, and an interrupted run repeats at most one. */
  readonly each: number
  readonly firstSeed: number
  /** What else decides about a series, so that a state file of other settings is not taken for it. */
  readonly settings?: string
  readonly state: string | null
}

/** Runs all series that are not done yet, with the compiled server, and ends the process with what was found. */
export async function runSeries(
  plan: SeriesPlan,
  run: (server: CompiledServer, seed: number, count: number) => Promise<Readonly<Record<string, number>>>,
): Promise<never> {
  const { name, total, each, firstSeed, settings, state } = plan
  const progress = new Progress(state)
  const server = compileServer()
  try {
    for (let done = 0; done < total; done += each) {
      const seed = firstSeed + done / each
      const count = Math.min(each, total - done)
      const key = [seed, count, ...(settings === undefined ? [] : [settings])].join(':')
      if (progress.has(key)) continue
      const startedMs = performance.now()
      const figures = await run(server, seed, count)
      const seconds = (performance.now() - startedMs) / 1_000
      say(`seed ${seed}: ${figuresText({ ...figures, seconds })}`)
      progress.add(key, { ...figures, seconds })
    }
  } finally {
    server.remove()
  }
  const totals = progress.totals()
  say(`all series: ${figuresText(totals)}`)
  const found = findings.reduce((sum, one) => sum + (totals[one] ?? 0), 0)
  say(`${name}: ${found === 0 ? 'ok' : 'FAILED'}`)
  process.exit(found === 0 ? 0 : 1)
}
