/** Damages valid requests in the ways networks, bugs and attackers do, from a seed. */

/** A small generator of uniform 32-bit numbers (mulberry32), so that every damage can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Bytes that mean something: continuation bits, extreme lengths, tags of every wire type. */
const telling = [
  0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x0b, 0x0c, 0x09, 0x0d, 0x08, 0x22, 0x7b, 0x5b, 0x5c,
]

/** One to four damages: cut, flip, overwrite, insert, remove, repeat a piece. */
export function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let result = bytes
  for (let rounds = random(4) + 1; rounds > 0; rounds--) result = mutateOnce(result, random)
  return result
}

function mutateOnce(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(bytes.length + 1)
  const copy = Uint8Array.from(bytes)
  switch (random(6)) {
    case 0:
      return copy.subarray(0, at)
    case 1:
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
      return copy
    case 2:
      if (at < copy.length) copy[at] = telling[random(telling.length)] ?? 0
      return copy
    case 3:
      return splice(bytes, at, 0, [telling[random(telling.length)] ?? 0])
    case 4:
      return splice(bytes, at, random(8) + 1, [])
    default:
      return splice(bytes, at, 0, bytes.subarray(at, at + random(64)))
  }
}

function splice(bytes: Uint8Array, at: number, remove: number, insert: ArrayLike<number>): Uint8Array {
  const after = bytes.subarray(Math.min(bytes.length, at + remove))
  const result = new Uint8Array(at + insert.length + after.length)
  result.set(bytes.subarray(0, at))
  result.set(insert, at)
  result.set(after, at + insert.length)
  return result
}
