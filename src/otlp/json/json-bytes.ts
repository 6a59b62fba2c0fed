/** What bytes of JSON text mean (RFC 8259, sections 2, 6 and 7). */

export const quote = 0x22
export const backslash = 0x5c
export const comma = 0x2c
export const colon = 0x3a
export const openList = 0x5b
export const closeList = 0x5d
export const openObject = 0x7b
export const closeObject = 0x7d
export const zero = 0x30
export const nine = 0x39
export const minus = 0x2d
export const point = 0x2e

/** Exact up to 10^22. */
export const powersOfTen: readonly number[] = Array.from({ length: 16 }, (_, power) => 10 ** power)

/** What stands behind a backslash, and the byte it means. */
export const escapes: ReadonlyMap<number, number> = new Map([
  [quote, quote],
  [backslash, backslash],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
])

/** Whether one of the four bytes is a quote, a backslash or a control character. */
export function hasMeaning(word: number): boolean {
  const quotes = word ^ 0x22222222
  const slashes = word ^ 0x5c5c5c5c
  // A byte is zero if taking one away sets the highest bit, which was not set; below 0x20 likewise.
  const found =
    ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes) | ((word - 0x20202020) & ~word)
  return (found & 0x80808080) !== 0
}

export function isNumberByte(byte: number): boolean {
  return (
    (byte >= zero && byte <= nine) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  )
}

export const hexDigits: Int8Array<ArrayBuffer> = Int8Array.from({ length: 256 }, (_, byte) => hexValue(byte))

export function hexValue(byte: number): number {
  if (byte >= zero && byte <= nine) return byte - zero
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 87 : -1
}

/** ASCII as text; anything else comes out as something no number or id is. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}
