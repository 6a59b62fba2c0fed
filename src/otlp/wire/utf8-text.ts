/** Text out of UTF-8 bytes; invalid sequences become U+FFFD, because a wrong byte must not lose an item. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Below this many bytes a loop over ASCII beats the call into the decoder. */
const shortText = 24

export function textAt(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > shortText) return decoder.decode(bytes.subarray(from, to))
  let text = ''
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0
    if (byte >= 0x80) return decoder.decode(bytes.subarray(from, to))
    text += String.fromCharCode(byte)
  }
  return text
}

/**
 * The longest prefix of at most `limit` bytes that does not cut a character in two; returns its end.
 * Steps back over at most three continuation bytes, so invalid UTF-8 costs no more.
 */
export function utf8CutEnd(bytes: Uint8Array, from: number, to: number, limit: number): number {
  if (to - from <= limit) return to
  let end = from + limit
  for (let step = 0; step < 3 && end > from && ((bytes[end] ?? 0) & 0xc0) === 0x80; step++) end--
  return end
}
