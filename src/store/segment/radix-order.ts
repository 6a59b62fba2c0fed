/** Sorting by 32-bit keys without comparisons: a fifth of the time of a sort of typed arrays, for some thousands. */

/** Bits of a key that one pass looks at: three passes for all 32, the last one of ten. */
const bits = 11
const buckets = 1 << bits
const passes = 3

/** How many keys, then where those go, by bucket of each pass. */
const places = new Uint32Array(passes * buckets)
/** Numbers between two passes; grows to the largest order. */
let between = new Uint32Array(1024)

/** Numbers 0 to n - 1 in ascending order of `keys[number]`; of equal keys the smaller number comes first. */
export function radixOrder(keys: Uint32Array): Uint32Array {
  const count = keys.length
  const order = new Uint32Array(count)
  if (between.length < count) between = new Uint32Array(count)
  countKeys(keys)
  // Back and forth, so that the last pass writes to `order`. Where all keys agree in its bits a pass changes nothing.
  let source: Uint32Array | null = null
  let into = passesFor(keys) % 2 === 1 ? order : between
  for (let pass = 0; pass < passes; pass++) {
    if (isIdle(keys, pass)) continue
    placeBuckets(pass)
    if (source === null) distributeAll(keys, pass, into)
    else distribute(keys, pass, source, into)
    source = into
    into = source === order ? between : order
  }
  if (source === null) for (let at = 0; at < count; at++) order[at] = at
  return order
}

function countKeys(keys: Uint32Array): void {
  places.fill(0)
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as number
    const low = key & (buckets - 1)
    const middle = buckets + ((key >>> bits) & (buckets - 1))
    const high = 2 * buckets + (key >>> (2 * bits))
    places[low] = (places[low] as number) + 1
    places[middle] = (places[middle] as number) + 1
    places[high] = (places[high] as number) + 1
  }
}

function passesFor(keys: Uint32Array): number {
  let busy = 0
  for (let pass = 0; pass < passes; pass++) if (!isIdle(keys, pass)) busy++
  return busy
}

/** Whether all keys fall into one bucket; `places` holds how many fall into each. */
function isIdle(keys: Uint32Array, pass: number): boolean {
  return keys.length === 0 || places[placeOf(keys[0] as number, pass)] === keys.length
}

function placeOf(key: number, pass: number): number {
  return pass * buckets + ((key >>> (pass * bits)) & (buckets - 1))
}

function placeBuckets(pass: number): void {
  let sum = 0
  for (let bucket = pass * buckets; bucket < (pass + 1) * buckets; bucket++) {
    const size = places[bucket] as number
    places[bucket] = sum
    sum += size
  }
}

function distributeAll(keys: Uint32Array, pass: number, into: Uint32Array): void {
  const shift = pass * bits
  const first = pass * buckets
  for (let number = 0; number < keys.length; number++) {
    const place = first + (((keys[number] as number) >>> shift) & (buckets - 1))
    const at = places[place] as number
    places[place] = at + 1
    into[at] = number
  }
}

function distribute(keys: Uint32Array, pass: number, from: Uint32Array, into: Uint32Array): void {
  const shift = pass * bits
  const first = pass * buckets
  for (let next = 0; next < keys.length; next++) {
    const number = from[next] as number
    const place = first + (((keys[number] as number) >>> shift) & (buckets - 1))
    const at = places[place] as number
    places[place] = at + 1
    into[at] = number
  }
}
