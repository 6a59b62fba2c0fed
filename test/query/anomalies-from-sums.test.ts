import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findAnomalies } from '../../src/graph/anomalies.ts'
import { CellTable } from '../../src/graph/rollups/cell-table.ts'
import { encodeCells } from '../../src/graph/rollups/encode.ts'
import { toRecords } from '../../src/graph/rollups/merge.ts'
import { rollupView } from '../../src/graph/rollups/rollup-view.ts'
import { kindNumber, SeriesKeys } from '../../src/graph/rollups/series-keys.ts'
import type { TotalKind } from '../../src/model/rollup.ts'
import type { RollupRecord } from '../../src/model/store.ts'
import { createReaderCaches } from '../../src/query/reader-caches.ts'
import { random } from '../graph/seeded-random.ts'
import { openSums } from './read-sums.ts'

const kinds: readonly TotalKind[] = ['service', 'operation', 'edge']
const windows = 200
const keysOf: Readonly<Record<string, (n: number) => readonly string[]>> = {
  service: n => [`s${n}`],
  operation: n => [`s${n}`, 'get', '2'],
  edge: n => [`s${n}`, `s${n + 1}`, 'rpc', 'service'],
}

/** Traffic of a few services; in `trouble` one of them fails, is slow or falls silent. */
interface Course {
  readonly seed: number
  readonly perWindow: number
  readonly failing: number
  readonly slow: number
  readonly silent: boolean
  readonly service: number
  readonly from: number
  readonly length: number
  /** Cells that are counted once too often and taken back later, in a record of their own. */
  readonly corrected: boolean
}

const course: fc.Arbitrary<Course> = fc.record({
  seed: fc.nat(1_000),
  perWindow: fc.constantFrom(0.5, 3, 15),
  failing: fc.constantFrom(0, 0.1, 0.8),
  slow: fc.constantFrom(0, 0.3, 1),
  silent: fc.boolean(),
  service: fc.nat(2),
  from: fc.integer({ min: 120, max: 190 }),
  length: fc.integer({ min: 1, max: 60 }),
  corrected: fc.boolean(),
})

/** Trouble that nobody overlooks: a service that fails, one that is slow, one that falls silent. */
const troubles: readonly [Course][] = [
  { failing: 0.8, slow: 0, silent: false },
  { failing: 0, slow: 1, silent: false },
  { failing: 0, slow: 0, silent: true },
].map((trouble, at) => [
  { ...trouble, seed: at, perWindow: 15, service: at, from: 125, length: 60, corrected: at === 1 },
])

function recordsOf(given: Course): readonly RollupRecord[] {
  const uniform = random(given.seed)
  const records: RollupRecord[] = []
  const series = new SeriesKeys()
  const cut = (table: CellTable, source: string): void => {
    const origin = { tenant: 't', stepSeconds: 10, receivedMs: 0, source }
    records.push(...toRecords(encodeCells(table, series, 10), origin))
  }
  const corrections = new CellTable()
  for (let from = 0; from < windows; from += 25) {
    const table = new CellTable()
    for (let window = from; window < from + 25; window++) {
      for (let service = 0; service < 3; service++) {
        const hit = service === given.service && window >= given.from && window < given.from + given.length
        const calls = hit && given.silent ? 0 : Math.floor(given.perWindow * (0.5 + uniform()) + uniform())
        for (let call = 0; call < calls; call++) {
          const failed = uniform() < (hit ? given.failing : 0.02) ? 1 : 0
          const bucket = 200 + Math.floor(uniform() * 20) + (hit && uniform() < given.slow ? 60 : 0)
          for (const kind of kinds) {
            const number = series.add(kindNumber(kind), keysOf[kind]?.(service) ?? [])
            const count = (into: CellTable, sign: 1 | -1): void => {
              const at = into.cell(number, window)
              into.add(at, sign, sign * failed, sign * bucket * 1_000)
              into.buckets.add(at, bucket, sign)
            }
            count(table, 1)
            if (!given.corrected || uniform() > 0.1) continue
            count(table, 1)
            count(corrections, -1)
          }
        }
      }
    }
    cut(table, `seal ${from}`)
  }
  cut(corrections, 'corrections')
  return records
}

describe('anomalies from sums', () => {
  it('are those of windows alone, at every step of a range that moves', async () => {
    let found = 0
    await fc.assert(
      fc.asyncProperty(course, async given => {
        const records = recordsOf(given)
        const caches = createReaderCaches(16_000_000)
        for (const end of [150, 151, 152, 190]) {
          const window = { fromMs: (end - 40) * 10_000, toMs: end * 10_000 }
          const baseline = { fromMs: window.fromMs - 800_000, toMs: window.fromMs }
          const views = {
            window: rollupView(records, window, 10),
            baseline: rollupView(records, baseline, 10),
          }
          const sums = openSums(caches, records)
          const summed = {
            window: (await sums.read(window, kinds)).view,
            baseline: (await sums.read(baseline, kinds)).view,
          }
          const expected = findAnomalies(views)
          found += expected.length
          for (const service of [undefined, 's1']) {
            const about = service === undefined ? {} : { service }
            const plain = findAnomalies(views, about)
            expect(findAnomalies(views, { ...about, sums: summed })).toEqual(plain)
            // Asked again over the same sums.
            expect(findAnomalies(views, { ...about, sums: summed })).toEqual(plain)
          }
          sums.release()
        }
      }),
      { numRuns: 25, examples: [...troubles] },
    )
    // At least each of the three troubles in its service, its operation and its edge.
    expect(found).toBeGreaterThanOrEqual(9)
  })
})
