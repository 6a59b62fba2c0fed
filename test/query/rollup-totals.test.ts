import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blastRadius } from '../../src/graph/blast-radius.ts'
import { CellTable } from '../../src/graph/rollups/cell-table.ts'
import { encodeCells } from '../../src/graph/rollups/encode.ts'
import { toRecords } from '../../src/graph/rollups/merge.ts'
import { rollupView } from '../../src/graph/rollups/rollup-view.ts'
import { kindNumber, SeriesKeys } from '../../src/graph/rollups/series-keys.ts'
import { edgesOf, serviceMap } from '../../src/graph/service-map.ts'
import type { RollupTotals, RollupView, TotalKind } from '../../src/model/rollup.ts'
import type { RollupRecord } from '../../src/model/store.ts'
import type { TimeRange } from '../../src/model/time.ts'
import { createReaderCaches, type ReaderCaches } from '../../src/query/reader-caches.ts'
import { openSums } from './read-sums.ts'

const kinds: readonly TotalKind[] = ['service', 'edge']
const services = ['cart', 'pay', 'web']

/** A cell: series, window of ten seconds, calls, failed ones, bucket; taken back again where `back`. */
const cell = fc.record({
  caller: fc.nat(2),
  callee: fc.nat(2),
  window: fc.nat(400),
  count: fc.integer({ min: 1, max: 50 }),
  failed: fc.nat(5),
  bucket: fc.integer({ min: 100, max: 400 }),
  back: fc.boolean(),
})
type Cell = typeof cell extends fc.Arbitrary<infer T> ? T : never

function recordOf(cells: readonly Cell[], source: string): readonly RollupRecord[] {
  const table = new CellTable()
  const series = new SeriesKeys()
  const add = (kind: TotalKind, key: readonly string[], one: Cell, sign: number): void => {
    const at = table.cell(series.add(kindNumber(kind), key), one.window)
    table.add(
      at,
      one.count * sign,
      Math.min(one.failed, one.count) * sign,
      one.count * one.bucket * 1_000 * sign,
    )
    table.addSelf(at, one.count * 500 * sign)
    table.addPaired(at, kind === 'edge' ? sign : 0)
    table.buckets.add(at, one.bucket, one.count * sign)
  }
  for (const one of cells) {
    for (const sign of one.back ? [1, -1] : [1]) {
      add('service', [services[one.callee] ?? ''], one, sign)
      add('edge', [services[one.caller] ?? '', services[one.callee] ?? '', 'rpc', 'service'], one, sign)
    }
  }
  return toRecords(encodeCells(table, series, 10), { tenant: 't', stepSeconds: 10, receivedMs: 0, source })
}

async function readOnce(
  caches: ReaderCaches,
  records: readonly RollupRecord[],
  range: TimeRange,
  look: (totals: RollupTotals) => void,
): Promise<readonly TimeRange[]> {
  const reader = openSums(caches, records)
  look(await reader.read(range, kinds))
  reader.release()
  return reader.loaded
}

/** Everything readers that look at no single window can see. */
function facts(view: RollupView, seconds: number): unknown {
  return kinds.map(kind =>
    view.series(kind).map(series => ({
      key: series.key,
      totals: (['count', 'errors', 'sum', 'self', 'paired'] as const).map(name => series.total(name)),
      quantiles: [0.01, 0.5, 0.9, 0.99].map(q => series.quantile(q)),
      above: [1, 30, 1_000].map(ms => series.countAbove(ms)),
      seconds,
    })),
  )
}

const manyCells: readonly Cell[] = Array.from({ length: 360 }, (_, window) => ({
  caller: 0,
  callee: 1,
  window,
  count: 5,
  failed: 0,
  bucket: 200,
  back: false,
}))

const secondsOf = (view: RollupView): number => view.length * view.stepSeconds

describe('sums of rollups over a range', () => {
  it('are those of its windows, for ranges that move, with what is kept and without', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 }),
        fc.array(
          fc.record({ from: fc.nat(420), length: fc.integer({ min: 1, max: 200 }), seen: fc.nat(8) }),
          { minLength: 1, maxLength: 6 },
        ),
        async (groups, questions) => {
          const all = groups.map((cells, at) => recordOf(cells, `seal ${at}`))
          const caches = createReaderCaches(8_000_000)
          for (const { from, length, seen } of questions) {
            // More and more of the records are there, and sometimes fewer: retention.
            const range = { fromMs: from * 10_000 - 3_000, toMs: (from + length) * 10_000 - 3_000 }
            const records = all
              .slice(0, seen + 1)
              .flat()
              .filter(record => record.fromMs < range.toMs && record.toMs > range.fromMs)
            const view = rollupView(records, range, 10)
            await readOnce(caches, records, range, totals => {
              expect(facts(totals.view, secondsOf(totals.view))).toEqual(facts(view, secondsOf(view)))
              expect([totals.windows, totals.windowSeconds]).toEqual([view.length, view.stepSeconds])
              const baseline = null
              expect(serviceMap({ window: totals.view, baseline })).toEqual(
                serviceMap({ window: view, baseline }),
              )
              for (const service of services)
                expect(blastRadius(totals.view, service)).toEqual(blastRadius(view, service))
            })
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('load nothing again for the same records, and little for a range that moved', async () => {
    const records = manyCells.flatMap((one, at) => recordOf([one], `seal ${at}`))
    const caches = createReaderCaches(8_000_000)
    const range = { fromMs: 0, toMs: 3_000_000 }
    const nothing = (): void => undefined
    expect((await readOnce(caches, records, range, nothing)).length).toBe(1)
    expect(await readOnce(caches, records, range, nothing)).toEqual([])
    const moved = { fromMs: 10_000, toMs: 3_010_000 }
    expect(await readOnce(caches, records, moved, nothing)).toEqual([{ fromMs: 3_000_000, toMs: 3_010_000 }])
    // Backwards, all cells are known.
    expect(await readOnce(caches, records, range, nothing)).toEqual([])
  })

  it('stay what they are while their reader lives, whatever others ask', async () => {
    const records = recordOf(manyCells, 'all')
    const caches = createReaderCaches(8_000_000)
    const range = { fromMs: 0, toMs: 2_000_000 }
    await readOnce(caches, records, range, () => undefined)
    let others: Promise<unknown> = Promise.resolve()
    let before: unknown
    let view: RollupView | undefined
    await readOnce(caches, records, range, totals => {
      view = totals.view
      before = facts(totals.view, 1)
      others = readOnce(caches, records, { fromMs: 500_000, toMs: 2_500_000 }, () => undefined).then(() =>
        expect(facts(totals.view, 1)).toEqual(before),
      )
    })
    await others
    // Given back and moved on: an answer that still looks at it is told so instead of getting other sums.
    await readOnce(caches, records, { fromMs: 10_000, toMs: 2_010_000 }, () => undefined)
    expect(() => view?.series('service')).toThrow(RangeError)
  })
})

describe('the calls of one service', () => {
  it('are those the map shows around it', () => {
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 30 }), cells => {
        const view = rollupView(recordOf(cells, 'all'), { fromMs: 0, toMs: 4_010_000 }, 10)
        const views = { window: view, baseline: null }
        const map = serviceMap(views, { focus: 'pay', depth: 1 })
        const around = map.edges.filter(edge => edge.caller === 'pay' || edge.callee === 'pay')
        expect(edgesOf(views, 'pay')).toEqual(around)
      }),
      { numRuns: 100 },
    )
  })
})
