import { describe, expect, it } from 'vitest'
import { episodeThreshold, findEpisodes } from '../../../src/graph/shift/change-point.ts'
import { medianOf, spreadOf } from '../../../src/graph/shift/robust-statistics.ts'
import { shareScores, silenceScores, valueScores } from '../../../src/graph/shift/window-scores.ts'
import { normals, random } from '../seeded-random.ts'

const looks = 10_000
const threshold = episodeThreshold(looks, 0.01)

describe('episodes', () => {
  it('begin where the series left its range and end where it came back, within two windows', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const scores = normals(random(seed), 200)
      for (let i = 80; i < 120; i++) scores[i] = (scores[i] ?? 0) + 5
      const episodes = findEpisodes(scores, threshold)
      expect(episodes).toHaveLength(1)
      expect(Math.abs((episodes[0]?.from ?? 0) - 80)).toBeLessThanOrEqual(2)
      expect(Math.abs((episodes[0]?.to ?? 0) - 120)).toBeLessThanOrEqual(2)
      expect(episodes[0]?.open).toBe(false)
    }
  })

  it('are not found in stationary noise', () => {
    let found = 0
    for (let seed = 1; seed <= 200; seed++)
      found += findEpisodes(normals(random(seed), 500), threshold).length
    expect(found).toBe(0)
  })

  it('are not made of one wild value', () => {
    const scores = new Float64Array(50)
    scores[20] = 1e9
    expect(findEpisodes(scores, threshold)).toEqual([])
  })

  it('stay open while they last to the end', () => {
    const scores = new Float64Array(60).fill(8, 50)
    expect(findEpisodes(scores, threshold)).toMatchObject([{ from: 50, to: 60, open: true }])
  })

  it('are bridged over windows without data', () => {
    const scores = new Float64Array(60).fill(8, 20, 40)
    for (let i = 21; i < 40; i += 2) scores[i] = Number.NaN
    expect(findEpisodes(scores, threshold)).toMatchObject([{ from: 20, to: 39 }])
  })

  it('need more evidence the more is looked at', () => {
    expect(episodeThreshold(1_000_000, 0.01)).toBeGreaterThan(episodeThreshold(1_000, 0.01))
  })
})

describe('scores', () => {
  it('of values come from median and scatter, which wild values do not move', () => {
    const baseline = [10, 11, 9, 10, 10, 11, 9, 10, 500, 10]
    const scores = valueScores([10, 14], baseline, 1)
    expect(scores?.baseline).toBe(10)
    expect(scores?.values[0]).toBe(0)
    expect(scores?.values[1]).toBeGreaterThan(3)
  })

  it('of shares are the same for doubled traffic', () => {
    const baseline = { part: new Float64Array(60).fill(2), whole: new Float64Array(60).fill(100) }
    const scores = shareScores({ part: [4], whole: [200] }, baseline)
    expect(Math.abs(scores?.values[0] ?? 9)).toBeLessThan(0.5)
  })

  it('of a share that never occurred are none while it does not occur', () => {
    const baseline = { part: new Float64Array(60), whole: new Float64Array(60).fill(5) }
    const scores = shareScores({ part: [0, 4], whole: [5, 5] }, baseline)
    expect(scores?.values[0]).toBe(0)
    expect(scores?.values[1]).toBeGreaterThan(2)
  })

  it('are not given without enough of a baseline', () => {
    expect(valueScores([5], [1, 2, 3], 1)).toBeNull()
    expect(shareScores({ part: [1], whole: [1] }, { part: [0], whole: [20] })).toBeNull()
    expect(silenceScores(counts([0]), counts(Array(5).fill(50)))).toBeNull()
  })

  it('of silence are none where the baseline has gaps itself', () => {
    const gaps = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 0 : 50))
    expect(silenceScores(counts([0]), counts(gaps))).toBeNull()
    expect(silenceScores(counts([0]), counts(Array(40).fill(50)))?.values[0]).toBeGreaterThan(5)
  })

  it('of silence go with the exposure, and are not given where little is expected', () => {
    const baseline = { count: Array(40).fill(50), exposure: Array(40).fill(100) }
    const scores = silenceScores({ count: [5, 0, 0], exposure: [10, 100, 10] }, baseline)
    expect(scores?.values[0]).toBeNaN()
    expect(scores?.values[1]).toBeGreaterThan(5)
    expect(silenceScores({ count: [10], exposure: [20] }, baseline)?.values[0]).toBeCloseTo(0, 1)
  })
})

/** Counts of an entry point. */
function counts(count: readonly number[]) {
  return { count, exposure: count.map(() => 1) }
}

describe('order statistics', () => {
  it('give the middle and the spread of normal values', () => {
    const values = [...normals(random(7), 4_000)].map(value => 50 + 3 * value)
    expect(medianOf(values)).toBeCloseTo(50, 0)
    expect(spreadOf(values)).toBeCloseTo(3, 0)
  })

  it('have no middle without values and no spread with one', () => {
    expect(medianOf([])).toBeNaN()
    expect(spreadOf([4])).toBe(0)
  })
})
