/** Quantiles of a handful of measurements. */
import { shown } from '../rows/row.ts'

/** The value below which a share of them lies; NaN without any. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

export interface ReadTimes {
  /** Milliseconds that passed, of each. */
  readonly wall: readonly number[]
  /** Milliseconds of processor, of each: what other work on the machine changes little. */
  readonly cpu: readonly number[]
}

/** The same for work in this process. */
export async function readTimesOf(
  times: number,
  work: (turn: number) => Promise<unknown>,
  warmUp = 3,
): Promise<ReadTimes> {
  const cpu: number[] = []
  const wall = await timesOf(
    times,
    async turn => {
      const before = process.cpuUsage()
      await work(turn)
      const { user, system } = process.cpuUsage(before)
      if (turn >= 0) cpu.push((user + system) / 1_000)
    },
    warmUp,
  )
  return { wall, cpu }
}

/** While code is compiled. */
const early = 100

/** For a person: the middle, the slowest of the first, and what the slowest take of the processor, which other work hardly changes. */
export function mediansOf({ wall, cpu }: ReadTimes): string {
  const processor = `of processor ${shown(quantile(cpu, 0.5))} ms, p99 ${shown(quantile(cpu, 0.99))}`
  const first =
    wall.length > early ? `; slowest of the first ${early}: ${shown(Math.max(...wall.slice(0, early)))}` : ''
  return `median ${shown(quantile(wall, 0.5))} ms, ${processor}${first}`
}

/** Runs `work` some times after a few that do not count; milliseconds of each. */
export async function timesOf(
  times: number,
  work: (turn: number) => Promise<unknown>,
  warmUp = 3,
): Promise<readonly number[]> {
  const measured: number[] = []
  for (let turn = -warmUp; turn < times; turn++) {
    const started = performance.now()
    await work(turn)
    if (turn >= 0) measured.push(performance.now() - started)
  }
  return measured
}
