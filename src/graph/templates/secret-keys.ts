/** Names whose values never get into a template, whatever they look like. */

/** Ends of such names; `_` and `-` are taken out before. */
const secretName =
  /(?:passwd|password|passphrase|pwd|secret|token|apikey|accesskey|secretkey|privatekey|authorization|cookie|credentials?)$/

/** Longer names are sentences without blanks; they also bound the work per word. */
const longestName = 40

/** Words that announce a secret without any punctuation. */
const schemes = new Set(['bearer'])

/** Whether `text[from, to)`, a quote at its end left out, names a secret; case, `_` and `-` do not matter. */
export function isSecretKey(text: string, from: number, to: number): boolean {
  const last = text.charCodeAt(to - 1)
  const end = last === 34 || last === 39 ? to - 1 : to
  if (end - from < 3 || end - from > longestName) return false
  return secretName.test(text.slice(from, end).toLowerCase().replaceAll(/[_-]/g, ''))
}

/** The two last letters of such names. */
const lastPairs: ReadonlySet<number> = new Set(
  ['wd', 'rd', 'se', 'et', 'en', 'ey', 'on', 'ie', 'al', 'ls'].map(
    pair => (pair.charCodeAt(0) << 8) | pair.charCodeAt(1),
  ),
)

/** Whether the ASCII text `bytes[from, to)` may end in such a name; never false where `isSecretKey` says it does. */
export function mayEndSecretName(bytes: Uint8Array, from: number, to: number): boolean {
  let last = to - 1
  // A quote, and `_` and `-`, which do not count.
  while (last > from && !isLetter(bytes[last] as number)) last--
  let before = last - 1
  while (before > from && !isLetter(bytes[before] as number)) before--
  return (
    before >= from && lastPairs.has((((bytes[before] as number) | 32) << 8) | (bytes[last] as number) | 32)
  )
}

function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122
}

/** Whether the word is an authentication scheme behind which the secret stands. */
export function isSecretScheme(text: string, from: number, to: number): boolean {
  return to - from === 6 && schemes.has(text.slice(from, to).toLowerCase())
}
