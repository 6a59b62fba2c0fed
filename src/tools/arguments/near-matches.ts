/** Near matches for names that do not exist: what was probably meant. */

/** Optimal string alignment distance, given up past `limit`. */
function distance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1
  let beforePrevious: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let i = 1; i <= left.length; i++) {
    const current = [i]
    for (let j = 1; j <= right.length; j++) {
      const change = left[i - 1] === right[j - 1] ? 0 : 1
      let best = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + change)
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        best = Math.min(best, (beforePrevious[j - 2] ?? 0) + 1)
      current.push(best)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[right.length] ?? limit + 1
}

/** Only so many candidates and characters are compared, so that a tenant with a million names costs no more. */
const candidateLimit = 5_000
const lengthLimit = 100

/** At most `count` of `candidates` that look like `name`, nearest first, ties by name. */
export function nearMatches(name: string, candidates: Iterable<string>, count = 3): readonly string[] {
  const wanted = name.toLowerCase().slice(0, lengthLimit)
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  const found: { readonly candidate: string; readonly cost: number }[] = []
  let seen = 0
  for (const candidate of candidates) {
    if (++seen > candidateLimit) break
    const other = candidate.toLowerCase().slice(0, lengthLimit)
    const contains = wanted.length >= 3 && (other.includes(wanted) || wanted.includes(other))
    const cost = contains && other.length >= 3 ? 1 : distance(wanted, other, limit)
    if (cost <= limit) found.push({ candidate, cost })
  }
  return found
    .sort((a, b) => a.cost - b.cost || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map(entry => entry.candidate)
}
