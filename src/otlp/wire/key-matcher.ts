/** Recognises a few known attribute keys by their bytes, without making a string of every key. */

export class KeyMatcher {
  /** Candidates by key length: bytes and number of each. */
  readonly #byLength: (readonly { readonly key: Uint8Array; readonly number: number }[] | undefined)[] = []

  /** The number of a key is its index here. Keys are ASCII. */
  constructor(keys: readonly string[]) {
    const encoder = new TextEncoder()
    for (let length = 0; length <= Math.max(...keys.map(key => key.length)); length++) {
      const same = keys.filter(key => key.length === length)
      this.#byLength.push(
        same.length === 0
          ? undefined
          : same.map(key => ({ key: encoder.encode(key), number: keys.indexOf(key) })),
      )
    }
  }

  /** The number of the key at `bytes[from, from + length)`, or -1. */
  match(bytes: Uint8Array, from: number, length: number): number {
    const candidates = this.#byLength[length]
    if (candidates === undefined) return -1
    for (let c = 0; c < candidates.length; c++) {
      const candidate = candidates[c]
      if (candidate !== undefined && startsWith(bytes, from, candidate.key)) return candidate.number
    }
    return -1
  }
}

function startsWith(bytes: Uint8Array, from: number, key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false
  return true
}
