/**
 * Which of some log records tell most about the words of a search, by BM25 (Robertson and Zaragoza, "The
 * Probabilistic Relevance Framework", 2009) among these records alone: a word that few of them have counts more,
 * one that is repeated a little more, and less in a long text. A word that only begins like the one asked for, or
 * has its stem, counts half.
 */
import { tokensOf } from './fold-text.ts'
import { type LogCondition, soughtTerms } from './log-query.ts'
import type { LogHit } from './log-search.ts'
import { eachTextRange } from './log-text.ts'
import { TermMatcher } from './term-matcher.ts'

/** The newest records found that are compared: milliseconds of work, and the older ones hardly matter any more. */
export const rankedRecords = 1_000

/** The customary constants. */
const saturation = 1.2
const lengthPart = 0.75
const partialMatch = 0.5

export interface RankedHit {
  readonly hit: LogHit
  /** Of these records alone; 0 where nothing is sought. */
  readonly score: number
}

interface Counted {
  readonly hit: LogHit
  /** Of each term. */
  readonly counts: readonly number[]
  readonly length: number
}

/** Most relevant first; of equally relevant ones in the order given. */
export function rankByRelevance(
  hits: readonly LogHit[],
  condition: LogCondition | null,
): readonly RankedHit[] {
  const matchers = [...new Set(soughtTerms(condition))].map(term => new TermMatcher(term))
  const counted = hits.map(hit => countTerms(hit, matchers))
  const meanLength = counted.reduce((sum, one) => sum + one.length, 0) / Math.max(1, counted.length)
  const rarity = matchers.map((_, term) => {
    const having = counted.filter(({ counts }) => (counts[term] as number) > 0).length
    return Math.log(1 + (counted.length - having + 0.5) / (having + 0.5))
  })
  const scoreOf = ({ counts, length }: Counted): number => {
    const norm = saturation * (1 - lengthPart + (lengthPart * length) / meanLength)
    return counts.reduce(
      (sum, count, term) =>
        count === 0 ? sum : sum + ((rarity[term] as number) * count * (saturation + 1)) / (count + norm),
      0,
    )
  }
  const ranked = counted.map(one => ({ hit: one.hit, score: Math.round(scoreOf(one) * 1e6) / 1e6 }))
  return ranked.sort((a, b) => b.score - a.score)
}

function countTerms(hit: LogHit, matchers: readonly TermMatcher[]): Counted {
  const counts = matchers.map(() => 0)
  let length = 0
  const add = (token: string): void => {
    length++
    for (const [term, matcher] of matchers.entries())
      if (token === matcher.term) counts[term] = (counts[term] as number) + 1
      else if (matcher.matches(token)) counts[term] = (counts[term] as number) + partialMatch
  }
  const { record } = hit
  const text = Buffer.from(record.buffer, record.byteOffset, record.length)
  eachTextRange(record, {
    range: (from, to) => tokensOf(text.toString('utf8', from, to)).forEach(add),
    text: value => tokensOf(value).forEach(add),
  })
  return { hit, counts, length }
}
