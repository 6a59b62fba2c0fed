import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldText } from '../../src/store/search/fold-text.ts'
import { TermMatcher } from '../../src/store/search/term-matcher.ts'
import { ByteWriter } from '../../src/store/segment/bytes.ts'
import {
  type FilterTerm,
  filterTerm,
  PrefixFilter,
  PrefixFilterBuilder,
} from '../../src/store/segment/prefix-filter.ts'

function filterOf(words: readonly string[]): PrefixFilter {
  const builder = new PrefixFilterBuilder()
  for (const word of words.map(text => Buffer.from(text, 'utf8')).sort(Buffer.compare)) builder.add(word)
  const out = new ByteWriter(64)
  builder.write(out)
  return new PrefixFilter(out.done())
}

const bytesOf = (term: string): FilterTerm => filterTerm(new TermMatcher(term))

const word = fc.oneof(
  fc.stringMatching(/^[a-z]{1,14}$/),
  fc.stringMatching(/^[0-9a-f]{1,16}$/),
  fc.constantFrom('failed', 'connection', 'panicked', 'retries', 'ubermassig', '注文番号', 'naïve'),
)

describe('the filter of beginnings', () => {
  it('never denies a word that a term finds, whole, by prefix or by stem', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), fc.nat(), fc.nat(), (texts, at, cut) => {
        const words = texts.map(foldText).filter(text => text !== '')
        fc.pre(words.length > 0)
        const filter = filterOf(words)
        const held = words[at % words.length] ?? ''
        const suffixes = ['', 's', 'ed', 'ing']
        const terms = [held.slice(0, 1 + (cut % held.length)), ...suffixes.map(end => held + end)]
        for (const term of terms) {
          const matcher = new TermMatcher(term)
          if (words.some(one => matcher.matches(one))) expect(filter.mayHold(bytesOf(term))).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('denies nearly all that is not there, among ten thousand ids and a vocabulary', () => {
    const hex = (n: number): string =>
      Math.imul(n + 1, 0x9e3779b1)
        .toString(16)
        .padStart(9, '0')
        .slice(-8)
    const ids = Array.from({ length: 10_000 }, (_, n) => `${hex(n)}${hex(n + 77_777)}`)
    const filter = filterOf([...ids, 'order', 'payment', 'timeout', 'confirmed', 'reservation'])
    const absentIds = Array.from({ length: 1_000 }, (_, n) => `${hex(n + 500_000)}${hex(n)}`)
    const absent = [
      'zymurgy',
      'quarantined',
      'quar',
      'panic',
      'segfault',
      'kernel',
      'oomkilled',
      ...absentIds,
    ]
    const passed = absent.filter(term => filter.mayHold(bytesOf(term)))
    expect(passed.length).toBeLessThan(50)
    expect(filter.byteLength).toBeLessThan(20_000)
    for (const present of ['confirm', 'payments', ids[17] ?? ''])
      expect(filter.mayHold(bytesOf(present))).toBe(true)
  })

  it('says nothing of beginnings that are too short', () => {
    expect(filterOf(['order']).mayHold(bytesOf('xyz'))).toBe(true)
  })
})
