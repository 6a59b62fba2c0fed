/** Data points of one metric next to each other, then those of one series, in time order. */
import type { MetricBlock } from '../../model/telemetry.ts'

/**
 * The rows in that order; what is equal in all of it stays in the order in which it came. Sorted by counting, key
 * after key from the least to the most important: there are few different ones, and no comparison is called.
 */
export function bySeries(block: MetricBlock, timeMs: Float64Array, rows: Uint32Array): Uint32Array {
  const owners = numbersOf(block.resources, ({ service, instance }) => `${service}\n${instance}`)
  const metrics = numbersOf(block.metrics, ({ type, name }) => `${type} ${name}`)
  const owner = new Uint32Array(block.count)
  const metric = new Uint32Array(block.count)
  for (let row = 0; row < block.count; row++) {
    owner[row] = owners[block.resource[row] as number] as number
    metric[row] = metrics[block.metric[row] as number] as number
  }
  let sorted = sortedBy(owner, block.resources.length, rows)
  sorted = sortedBy(block.series, block.strings.length, sorted)
  sorted = sortedBy(metric, block.metrics.length, sorted)
  let start = 0
  for (let at = 1; at <= sorted.length; at++) {
    const row = sorted[at] as number
    const first = sorted[start] as number
    const same =
      at < sorted.length &&
      metric[row] === metric[first] &&
      block.series[row] === block.series[first] &&
      owner[row] === owner[first]
    if (same) continue
    sortByTime(timeMs, sorted, start, at)
    start = at
  }
  return sorted
}

/** A number for each entry of a table, the same for those with equal keys, below the size of the table. */
function numbersOf<E>(entries: readonly E[], keyOf: (entry: E) => string): Uint32Array {
  const known = new Map<string, number>()
  return Uint32Array.from(entries, entry => {
    const key = keyOf(entry)
    const number = known.get(key) ?? known.size
    known.set(key, number)
    return number
  })
}

/** The rows by their key, which is below `keys`; of equal keys the one that came first stays first. */
function sortedBy(key: Uint32Array, keys: number, rows: Uint32Array): Uint32Array {
  const next = new Uint32Array(keys + 1)
  for (let at = 0; at < rows.length; at++) {
    const after = (key[rows[at] as number] as number) + 1
    next[after] = (next[after] as number) + 1
  }
  for (let number = 0; number < keys; number++)
    next[number + 1] = (next[number + 1] as number) + (next[number] as number)
  const sorted = new Uint32Array(rows.length)
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number
    const of = key[row] as number
    const place = next[of] as number
    sorted[place] = row
    next[of] = place + 1
  }
  return sorted
}

/** Below this many rows moving them up beats a sort with a comparison. */
const fewRows = 64

/** Sorts rows[from, to) by time; of equal times the one that came first stays first. */
export function sortByTime(timeMs: Float64Array, rows: Uint32Array, from: number, to: number): void {
  let ordered = from + 1
  while (
    ordered < to &&
    (timeMs[rows[ordered] as number] as number) >= (timeMs[rows[ordered - 1] as number] as number)
  )
    ordered++
  if (ordered >= to) return
  if (to - from > fewRows) {
    rows.subarray(from, to).sort((a, b) => (timeMs[a] as number) - (timeMs[b] as number) || a - b)
    return
  }
  for (let at = ordered; at < to; at++) {
    const row = rows[at] as number
    const time = timeMs[row] as number
    let place = at
    while (place > from && (timeMs[rows[place - 1] as number] as number) > time) {
      rows[place] = rows[place - 1] as number
      place--
    }
    rows[place] = row
  }
}
