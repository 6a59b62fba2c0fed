/**
 * How much better two shares explain two counts than one share does, in nats: the log-likelihood ratio of a
 * two by two table (the G statistic halved; Dunning, "Accurate Methods for the Statistics of Surprise and
 * Coincidence", 1993). Small samples on either side keep it small, unlike a test against a fixed share.
 */

/**
 * Evidence that `hits` of `total` is more than `baseHits` of `baseTotal`; 0 when it is not. Counts may be
 * fractional (parts of a trace). The baseline is given half a hit, so that never is not impossible.
 */
export function riseEvidence(hits: number, total: number, baseHits: number, baseTotal: number): number {
  if (total <= 0 || baseTotal <= 0) return 0
  const k0 = Math.min(baseTotal, baseHits + 0.5)
  const n0 = baseTotal + 1
  const share = hits / total
  const before = k0 / n0
  if (share <= before) return 0
  const pooled = (hits + k0) / (total + n0)
  return Math.max(0, total * divergence(share, pooled) + n0 * divergence(before, pooled))
}

/** Kullback-Leibler divergence of two coins, nats. */
function divergence(p: number, q: number): number {
  let sum = 0
  if (p > 0) sum += p * Math.log(p / q)
  if (p < 1) sum += (1 - p) * Math.log((1 - p) / (1 - q))
  return sum
}
