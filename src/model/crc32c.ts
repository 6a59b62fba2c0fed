/**
 * CRC-32C (Castagnoli), the checksum of everything this system writes to disk; RFC 3720, appendix B.4.
 * Eight tables, eight bytes a step: Node's own `zlib.crc32` is the other polynomial.
 */

const polynomial = 0x82f63b78
/** Signed: whatever is above 2^31 would be no small integer, and have the code thrown away over and over. */
const tables: readonly Int32Array[] = makeTables()

function makeTables(): readonly Int32Array[] {
  const first = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    first[byte] = value
  }
  const all = [first]
  for (let step = 1; step < 8; step++) {
    const previous = all[step - 1] ?? first
    all.push(previous.map(value => (first[value & 255] ?? 0) ^ (value >>> 8)))
  }
  return all
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/** Checksum of `bytes[from, to)`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let crc = -1
  let at = from
  const whole = to - ((to - from) & 7)
  // Indices are masked to a byte and `at` stays below `whole`, so every look-up is in bounds.
  while (at < whole) {
    const low = crc ^ view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    crc =
      at8(t7, low) ^
      at8(t6, low >>> 8) ^
      at8(t5, low >>> 16) ^
      at8(t4, low >>> 24) ^
      at8(t3, high) ^
      at8(t2, high >>> 8) ^
      at8(t1, high >>> 16) ^
      at8(t0, high >>> 24)
    at += 8
  }
  while (at < to) crc = at8(t0, crc ^ (bytes[at++] as number)) ^ (crc >>> 8)
  return ~crc >>> 0
}

function at8(table: Int32Array, index: number): number {
  return table[index & 255] as number
}
