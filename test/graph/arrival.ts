/** `npm run test:arrival`: the same telemetry in many orders makes the same graph and traces; see `arrival-order.ts`. */
import { figuresText, Progress, readCommandLine, say } from '../durability/command.ts'
import { tryOrders } from './arrival-order.ts'

const ordersPerSeed = 50
const sliceSeeds = 200
const maxSaid = 10

const { numbers, state } = readCommandLine({
  usage: 'npm run test:arrival -- --permutations 100000 [--seed S] [--state FILE]',
  description:
    'Brings random traces, logs and metrics in shuffled orders, in other batches, repeated and late, and compares graph\nand traces with those of the order in which it all happened.',
  options: {
    permutations: { default: 10_000, help: 'orders in all' },
    seed: { default: 1, help: 'seed of the first telemetry; each fifty orders have the next one' },
  },
})

const first = numbers['seed'] ?? 0
const end = first + Math.ceil((numbers['permutations'] ?? 0) / ordersPerSeed)
const progress = new Progress(state)
let said = 0
for (let from = first; from < end; from += sliceSeeds) {
  const to = Math.min(from + sliceSeeds, end)
  const key = `${from}-${to - 1}`
  if (progress.has(key)) continue
  const startedMs = performance.now()
  const sums = { permutations: 0, different: 0, cells: 0, spans: 0, repeats: 0, seconds: 0 }
  for (let seed = from; seed < to; seed++) {
    const { orders, different, difference, cells, spans, repeats } = tryOrders(seed, ordersPerSeed)
    sums.permutations += orders
    sums.different += different
    sums.cells += cells
    sums.spans += spans
    sums.repeats += repeats
    if (different > 0 && said++ < maxSaid) say(`seed ${seed}: ${different} differ; ${difference}`)
  }
  sums.seconds = (performance.now() - startedMs) / 1_000
  say(`seeds ${key}: ${figuresText(sums)}`)
  progress.add(key, sums)
}
const totals = progress.totals()
say(`all: ${figuresText(totals)}`)
const sound = (totals['different'] ?? 0) === 0
say(sound ? 'order of arrival: ok' : 'order of arrival: FAILED')
process.exit(sound ? 0 : 1)
