/**
 * Text as search sees it: case and accents gone, cut into tokens of letters and digits.
 *
 * `user_id=42` gives `user`, `id`, `42`; `payment-7f9c` gives `payment`, `7f9c`; `Übermäßig` gives
 * `ubermassig`. Tokens longer than `maxTokenLength` are cut there, on both sides, so that a long one is still
 * found by its beginning. Scripts without spaces between words become one token per run of letters, which a
 * prefix finds.
 */

/** Longer tokens are encoded payloads; nobody types them, and dictionaries would hold each once. */
export const maxTokenLength = 40

/** Calls `found` for every token of the text, in order, repeats included. */
export function eachToken(text: string, found: (token: string) => void): void {
  let start = -1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 127) {
      foldedTokens(text, found)
      return
    }
  }
  const lower = text.toLowerCase()
  for (let at = 0; at <= lower.length; at++) {
    const code = at < lower.length ? lower.charCodeAt(at) : 32
    const inToken = (code >= 97 && code <= 122) || (code >= 48 && code <= 57)
    if (inToken) {
      if (start < 0) start = at
    } else if (start >= 0) {
      found(lower.slice(start, Math.min(at, start + maxTokenLength)))
      start = -1
    }
  }
}

const token = /[\p{L}\p{N}]+/gu
const marks = /\p{M}+/gu

function foldedTokens(text: string, found: (token: string) => void): void {
  for (const match of foldText(text).matchAll(token)) found(cutToken(match[0]))
}

/** Lower case, without accents and other combining marks, compatibility forms made plain. */
export function foldText(text: string): string {
  return text.normalize('NFKD').replace(marks, '').toLowerCase().replace(/ß/g, 'ss').normalize('NFC')
}

/** By UTF-16 units, never through a pair. */
function cutToken(value: string): string {
  if (value.length <= maxTokenLength) return value
  const code = value.charCodeAt(maxTokenLength - 1)
  return value.slice(0, code >= 0xd800 && code <= 0xdbff ? maxTokenLength - 1 : maxTokenLength)
}

/** The tokens of a text, in order. */
export function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  eachToken(text, value => tokens.push(value))
  return tokens
}
