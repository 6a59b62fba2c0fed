import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logFeatures } from '../../../src/graph/similar/log-features.ts'
import { SimilarityIndex } from '../../../src/graph/similar/similarity-index.ts'

describe('SimilarityIndex', () => {
  it('finds a thing itself first, and gives no similarity beyond one, whatever the things are', () => {
    const thing = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(fc.array(thing, { minLength: 1, maxLength: 20 }), fc.nat(19), (things, pick) => {
        const sought = things[pick % things.length] ?? []
        const found = new SimilarityIndex(things).search(sought, 0)
        expect(found[0]?.similarity).toBe(1)
        expect(found.find(match => match.at === pick % things.length)?.similarity).toBe(1)
        for (const { similarity } of found) expect(similarity).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('counts what few have, not what all have', () => {
    const index = new SimilarityIndex([
      ['request', 'card'],
      ['request', 'disk'],
      ['request', 'mail'],
      ['request'],
    ])
    const [first, ...others] = index.search(['request', 'card', 'declined'], 0)
    expect(first?.at).toBe(0)
    for (const other of others) expect(other.similarity).toBeLessThan((first?.similarity ?? 0) / 2)
  })

  it('finds nothing for features that nothing has', () => {
    expect(new SimilarityIndex([['a'], ['b']]).search(['z'], 0)).toEqual([])
    expect(new SimilarityIndex([]).search(['a'], 0)).toEqual([])
  })
})

describe('logFeatures', () => {
  it('are the same for a line and its template, and for words joined in other ways', () => {
    expect(logFeatures('charge failed for order 4711: timeout')).toEqual(
      logFeatures('charge failed for order <*>: timeout'),
    )
    expect(logFeatures('cardDeclined by card_network')).toEqual(logFeatures('card declined by card-network'))
  })
})
