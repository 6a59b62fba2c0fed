/** `npm run sim`: seeds of the simulation, one after the other; see `simulation.ts`. */
import { figuresText, Progress, readCommandLine, say } from '../durability/command.ts'
import { simulate } from './simulation.ts'

/** Seeds that are remembered and reported together. */
const sliceSeeds = 500
/** Findings written out; beyond it they are only counted. */
const maxSaid = 20

const { numbers, state, given } = readCommandLine({
  usage: 'npm run sim -- --seed N | --seeds N [--from S] [--state FILE]',
  description:
    'Runs senders, network, inbox, engine, store and readers in one process under virtual time, with the faults that\neach seed decides, and holds what is promised of acknowledged data against what can be queried.',
  options: {
    seed: { default: 0, help: 'this seed alone, with what happened in it' },
    seeds: { default: 300, help: 'so many seeds' },
    from: { default: 1, help: 'the first of them' },
  },
})

async function runOne(seed: number): Promise<boolean> {
  const { findings, counts } = await simulate(seed)
  say(`seed ${seed}: ${figuresText(counts)}`)
  for (const finding of findings) say(`  ${finding}`)
  return findings.length === 0
}

async function runMany(): Promise<boolean> {
  const from = numbers['from'] ?? 0
  const end = from + (numbers['seeds'] ?? 0)
  const progress = new Progress(state)
  let sound = true
  for (let first = from; first < end; first += sliceSeeds) {
    const last = Math.min(first + sliceSeeds, end)
    const key = `${first}-${last - 1}`
    if (progress.has(key)) continue
    const startedMs = performance.now()
    const sums: Record<string, number> = { seeds: last - first, findings: 0 }
    for (let seed = first; seed < last; seed++) {
      const { findings, counts } = await simulate(seed)
      for (const [name, value] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + value
      if (findings.length === 0) continue
      sums['findings'] = (sums['findings'] ?? 0) + 1
      sound = false
      if ((sums['findings'] ?? 0) <= maxSaid)
        say(`seed ${seed}: ${findings[0]}${findings.length > 1 ? ` and ${findings.length - 1} more` : ''}`)
    }
    const seconds = (performance.now() - startedMs) / 1_000
    say(`seeds ${key}: ${seconds.toFixed(0)} s, ${sums['findings']} with findings`)
    progress.add(key, { ...sums, seconds })
  }
  const totals = progress.totals()
  say(`all: ${figuresText(totals)}`)
  return sound && (totals['findings'] ?? 0) === 0
}

const sound = given.has('seed') ? await runOne(numbers['seed'] ?? 0) : await runMany()
say(sound ? 'simulation: ok' : 'simulation: FAILED')
process.exit(sound ? 0 : 1)
