/** Quantiles of a handful of measurements. */

/** The value below which a share of them lies; NaN without any. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
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
