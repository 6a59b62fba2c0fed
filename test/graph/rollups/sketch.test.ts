import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CellTable } from '../../../src/graph/rollups/cell-table.ts'
import { encodeCells } from '../../../src/graph/rollups/encode.ts'
import { mergeRollups, toRecords } from '../../../src/graph/rollups/merge.ts'
import { rollupView } from '../../../src/graph/rollups/rollup-view.ts'
import { kindNumber, SeriesKeys } from '../../../src/graph/rollups/series-keys.ts'
import {
  bucketCount,
  bucketOfMs,
  bucketOfNs,
  bucketValueMs,
  largestMs,
  quantileOf,
  smallestMs,
} from '../../../src/graph/rollups/sketch.ts'
import type { RollupRecord } from '../../../src/model/store.ts'

describe('the latency sketch', () => {
  it('stands for every duration within two percent', () => {
    const durations = fc.double({ min: smallestMs, max: largestMs, noNaN: true })
    fc.assert(
      fc.property(durations, ms => {
        expect(Math.abs(bucketValueMs(bucketOfMs(ms)) - ms) / ms).toBeLessThanOrEqual(0.02)
      }),
      { numRuns: 5_000 },
    )
  })

  it('gives quantiles within two percent of the exact ones, for any distribution', () => {
    const durations = fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    })
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const counts = new Float64Array(bucketCount)
        for (const ms of values) counts[bucketOfMs(ms)] = (counts[bucketOfMs(ms)] ?? 0) + 1
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.floor(q * (sorted.length - 1))] ?? 0
        expect(Math.abs(quantileOf(counts, q) - exact) / exact).toBeLessThanOrEqual(0.02)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['nothing', 0, 0],
    ['below a microsecond', 999, 0],
    ['one microsecond', 1_000, 1],
    ['not a number', Number.NaN, 0],
    ['eighteen days', 1.6e15, bucketCount - 1],
    ['a century', 3e18, bucketCount - 1],
  ])('puts %s where it belongs', (_, ns, bucket) => {
    expect(bucketOfNs(ns)).toBe(bucket)
  })

  it('has no quantile without data and ignores counts that corrections made negative', () => {
    const counts = new Float64Array(bucketCount)
    expect(quantileOf(counts, 0.5)).toBeNaN()
    counts[10] = -3
    counts[20] = 2
    expect(quantileOf(counts, 0)).toBe(bucketValueMs(20))
  })
})

describe('a sketch that was added up', () => {
  it('keeps its error: of many records, merged ones and wider windows', () => {
    const durations = fc.array(
      fc.record({
        ns: fc.integer({ min: 2_000, max: 2 ** 40 }),
        window: fc.nat(120),
        record: fc.nat(5),
      }),
      { minLength: 1, maxLength: 200 },
    )
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (calls, q) => {
        const parts = [0, 1, 2, 3, 4, 5].flatMap(record =>
          recordOfCalls(
            calls.filter(call => call.record === record),
            `seal ${record}`,
          ),
        )
        const sorted = calls.map(call => call.ns / 1e6).toSorted((a, b) => a - b)
        const exact = sorted[Math.floor(q * (sorted.length - 1))] ?? 0
        const range = { fromMs: 0, toMs: 1_800_000 }
        const wider = mergeRollups(mergeRollups(parts.slice(0, 3), 60), 600)
        for (const records of [parts, mergeRollups(parts, 10), [...wider, ...parts.slice(3)]]) {
          const [series] = rollupView(records, range, 600).series('service')
          expect(series?.total('count')).toBe(calls.length)
          expect(Math.abs((series?.quantile(q) ?? Number.NaN) - exact) / exact).toBeLessThanOrEqual(0.02)
        }
      }),
      { numRuns: 200 },
    )
  })
})

/** At most one record of the calls of one service, each in its window of ten seconds. */
function recordOfCalls(
  calls: readonly { readonly ns: number; readonly window: number }[],
  source: string,
): readonly RollupRecord[] {
  const table = new CellTable()
  const series = new SeriesKeys()
  for (const { ns, window } of calls) {
    const cell = table.cell(series.add(kindNumber('service'), ['pay']), window)
    table.add(cell, 1, 0, ns)
    table.buckets.add(cell, bucketOfNs(ns), 1)
  }
  return toRecords(encodeCells(table, series, 10), { tenant: 't', stepSeconds: 10, receivedMs: 0, source })
}
