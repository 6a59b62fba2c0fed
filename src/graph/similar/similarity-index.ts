/**
 * Finds things that share rare features: an inverted index of weighted features, compared by the cosine. A feature
 * counts by how few things have it (inverse document frequency), so that what all have in common says nothing.
 */

export interface Match {
  /** Place of the thing in what the index was made of. */
  readonly at: number
  /** 0 to 1; 1 for the same features. */
  readonly similarity: number
}

interface Posting {
  readonly at: number
  readonly weight: number
}

export class SimilarityIndex {
  readonly #postings = new Map<string, Posting[]>()
  readonly #rarity = new Map<string, number>()
  readonly #size: number

  /** The features of each thing; more than one of a kind count little more than one. */
  constructor(things: readonly (readonly string[])[]) {
    this.#size = things.length
    const counts = things.map(countsOf)
    const holders = new Map<string, number>()
    for (const one of counts)
      for (const feature of one.keys()) holders.set(feature, (holders.get(feature) ?? 0) + 1)
    for (const [feature, count] of holders) this.#rarity.set(feature, rarityOf(count, this.#size))
    for (const [at, one] of counts.entries()) {
      for (const { feature, weight } of this.#vector(one)) {
        const list = this.#postings.get(feature)
        if (list === undefined) this.#postings.set(feature, [{ at, weight }])
        else list.push({ at, weight })
      }
    }
  }

  /** Everything at least as similar as `least`, best first, ties in the order of the things. */
  search(features: readonly string[], least: number): readonly Match[] {
    const sums = new Map<number, number>()
    for (const { feature, weight } of this.#vector(countsOf(features))) {
      for (const posting of this.#postings.get(feature) ?? [])
        sums.set(posting.at, (sums.get(posting.at) ?? 0) + weight * posting.weight)
    }
    return [...sums]
      .map(([at, sum]) => ({ at, similarity: Math.min(1, Math.round(sum * 1_000) / 1_000) }))
      .filter(match => match.similarity >= least)
      .sort((a, b) => b.similarity - a.similarity || a.at - b.at)
  }

  /** Of length one; features nothing has make it longer, since they are missing everywhere. */
  #vector(
    counts: ReadonlyMap<string, number>,
  ): readonly { readonly feature: string; readonly weight: number }[] {
    const rarest = rarityOf(1, this.#size)
    const raw = [...counts].map(([feature, count]) => ({
      feature,
      weight: (1 + Math.log(count)) * (this.#rarity.get(feature) ?? rarest),
    }))
    const length = Math.hypot(...raw.map(one => one.weight))
    return raw.map(one => ({ feature: one.feature, weight: one.weight / length }))
  }
}

function rarityOf(holders: number, all: number): number {
  return Math.log(1 + all / holders)
}

function countsOf(features: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const feature of features) counts.set(feature, (counts.get(feature) ?? 0) + 1)
  return counts
}
