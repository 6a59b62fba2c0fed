/** Lists of the same shape, whatever their length, as one element. */

/** Longest element of a list, in tokens. */
const maxElementTokens = 40

/**
 * The tokens with every immediate repetition of a sequence reduced to one, shortest sequences first; the same
 * array if nothing repeats. Only sequences that hold punctuation or a variable count, so that words may be
 * said twice. Linear in the number of tokens, times `maxElementTokens`.
 */
export function collapseRepeats(tokens: readonly string[]): readonly string[] {
  let out: readonly string[] = tokens
  for (let size = 1; size <= maxElementTokens && size * 2 <= out.length; size++) {
    out = collapseSize(out, size)
  }
  return out
}

function collapseSize(tokens: readonly string[], size: number): readonly string[] {
  let equal = 0
  let found = false
  for (let i = size; i < tokens.length && !found; i++) {
    equal = tokens[i] === tokens[i - size] ? equal + 1 : 0
    found = equal >= repeatsOf(size)
  }
  if (!found) return tokens
  const out: string[] = []
  let run = 0
  let collapsed = false
  for (const token of tokens) {
    out.push(token)
    const at = out.length - 1
    run = at >= size && out[at] === out[at - size] ? run + 1 : 0
    if (run >= repeatsOf(size) && out.slice(at - size + 1).some(one => one.includes('<*>'))) {
      out.length -= repeatsOf(size)
      run = 0
      collapsed = true
    }
  }
  // A line that was cut off ends with a part of one more element.
  if (collapsed && size > 1) out.length -= run
  return out
}

/**
 * Equal tokens in a row that make a repetition. Variables side by side are mostly a fixed number of fields, so
 * a list of bare ones must be long; an element of several tokens need only come twice.
 */
function repeatsOf(size: number): number {
  if (size === 1) return 7
  return size <= 3 ? size * 2 : size
}
