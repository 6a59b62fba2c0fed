/** Ids of blocks as lower-case hex and back. */

export function hexAt(ids: Uint8Array, row: number, width: 8 | 16): string {
  const from = ids.byteOffset + row * width
  return Buffer.from(ids.buffer, from, width).toString('hex')
}

/** Whether the id of a row is these bytes. */
export function idEquals(ids: Uint8Array, row: number, id: Uint8Array): boolean {
  const from = row * id.length
  for (let at = 0; at < id.length; at++) if (ids[from + at] !== id[at]) return false
  return true
}

export function isZeroId(ids: Uint8Array, row: number, width: 8 | 16): boolean {
  for (let at = row * width; at < row * width + width; at++) if (ids[at] !== 0) return false
  return true
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
