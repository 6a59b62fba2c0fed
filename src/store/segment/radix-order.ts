/** Sorting by 32-bit keys without comparisons: a fifth of the time of a sort of typed arrays, for some thousands. */

const bits = 11
const buckets = 1 << bits

/** Numbers 0 to n - 1 in ascending order of `keys[number]`; of equal keys the smaller number comes first. */
export function radixOrder(keys: Uint32Array): Uint32Array {
  const count = keys.length
  let order = new Uint32Array(count)
  let next = new Uint32Array(count)
  const starts = new Uint32Array(buckets)
  for (let at = 0; at < count; at++) order[at] = at
  for (let shift = 0; shift < 32; shift += bits) {
    starts.fill(0)
    for (let at = 0; at < count; at++) {
      const bucket = ((keys[at] as number) >>> shift) & (buckets - 1)
      starts[bucket] = (starts[bucket] as number) + 1
    }
    let sum = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      const size = starts[bucket] as number
      starts[bucket] = sum
      sum += size
    }
    for (let at = 0; at < count; at++) {
      const number = order[at] as number
      const bucket = ((keys[number] as number) >>> shift) & (buckets - 1)
      const place = starts[bucket] as number
      starts[bucket] = place + 1
      next[place] = number
    }
    ;[order, next] = [next, order]
  }
  return order
}
