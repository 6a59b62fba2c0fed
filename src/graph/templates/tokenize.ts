/** A log line as tokens with what obviously varies masked, in one pass over its characters. */

/** Stands for a variable part. */
export const wildcard = '<*>'

/** Characters of a line that are looked at, and tokens of a template: what follows is the same template. */
export const maxLineChars = 2_000
export const maxTokens = 128

/** Tokens of the line's first characters, split at white space, numbers masked. */
export function tokenize(line: string): string[] {
  const text = line.length > maxLineChars ? line.slice(0, maxLineChars) : line
  const tokens = text.trim().split(/\s+/)
  if (tokens.length > maxTokens) tokens.length = maxTokens
  return tokens.map(maskToken)
}

function maskToken(token: string): string {
  return token.replace(/\d+/g, wildcard)
}
