import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBlock } from '../../../src/graph/rollups/decode.ts'
import { mergeRollups } from '../../../src/graph/rollups/merge.ts'
import { rollupView } from '../../../src/graph/rollups/rollup-view.ts'
import { TenantGraph } from '../../../src/graph/tenant-graph.ts'
import type { RollupRecord } from '../../../src/model/store.ts'
import { cellText } from '../cell-text.ts'
import { epochMs, logBatch, metricBatch, spanBatch } from '../telemetry-batches.ts'

/** Records of `cuts` cuts with spans, logs and metrics, some of them in the same cells. */
function recordsOf(cuts: number, tenant = 't'): RollupRecord[] {
  const graph = new TenantGraph({ tenant, templates: [] })
  const records: RollupRecord[] = []
  for (let i = 0; i < cuts; i++) {
    const at = (i % 4) * 7_000 + (i % 2) * 3_600_000
    const spans = Array.from({ length: 5 }, (_, j) => ({
      service: j % 2 === 0 ? 'web' : 'pay',
      id: i * 100 + j + 1,
      trace: i + 1,
      parent: j === 0 ? 0 : i * 100 + j,
      startMs: at + j,
      durationMs: 3 ** (i % 9) - j / 10 > 0 ? 3 ** (i % 9) : 1,
      failed: j === i % 5,
    }))
    graph.ingest(spanBatch(spans), epochMs)
    graph.ingest(logBatch([{ service: 'web', body: `order ${i} placed`, atMs: at }]), epochMs)
    graph.ingest(metricBatch([{ metric: 'cpu', atMs: at + i, value: i * 4 }]), epochMs)
    records.push(...graph.cut(`cut ${i}`).rollups)
  }
  return records
}

const records = recordsOf(24)
const expected = cellText(records)

describe('merging rollups', () => {
  it('gives the same cells in any order and grouping', () => {
    expect(expected.length).toBeGreaterThan(30)
    const shuffled = fc.shuffledSubarray(records, { minLength: records.length })
    fc.assert(
      fc.property(
        shuffled,
        fc.array(fc.nat({ max: 3 }), { minLength: 64, maxLength: 64 }),
        (order, groups) => {
          const parts = [0, 1, 2, 3].map(group => order.filter((_, i) => groups[i % 64] === group))
          const merged = parts.flatMap(part => mergeRollups(part, 10))
          expect(cellText(merged)).toEqual(expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('gives the same bytes and ids when it is done twice', () => {
    expect(mergeRollups(records.toReversed(), 60)).toEqual(mergeRollups(records, 60))
  })

  it('through a minute into ten minutes is the same as at once', () => {
    const fine = cellText(mergeRollups(mergeRollups(records, 60), 600), 600)
    expect(fine).toEqual(cellText(records, 600))
    expect(fine.length).toBeLessThan(expected.length)
  })

  it('keeps tenants apart', () => {
    const both = mergeRollups([...records, ...recordsOf(3, 'other')], 600)
    expect(both.map(record => record.tenant)).toEqual(['other', 't'])
    expect(
      cellText(
        both.filter(record => record.tenant === 't'),
        600,
      ),
    ).toEqual(cellText(records, 600))
  })

  it('refuses to make windows finer', () => {
    expect(() => mergeRollups(mergeRollups(records, 600), 60)).toThrow(RangeError)
  })

  it('never makes two cuts of equal telemetry one record', () => {
    const first = new TenantGraph({ tenant: 't', templates: [] })
    const ids = [1, 2].map(id => {
      first.ingest(spanBatch([{ service: 'a', id, trace: id, startMs: 0, durationMs: 1 }]), epochMs)
      return first.cut().rollups[0]?.id
    })
    expect(new Set(ids).size).toBe(2)
  })
})

describe('a stored block', () => {
  it('is refused when a bit of it has flipped', () => {
    const bytes = records[0]?.bytes ?? new Uint8Array(0)
    expect(bytes.length).toBeGreaterThan(100)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
        expect(() => openBlock(damaged)).toThrow(expect.objectContaining({ code: 'corrupt_rollup' }))
      }),
    )
  })

  it('is refused when it is cut short', () => {
    const bytes = records[0]?.bytes ?? new Uint8Array(0)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), length => {
        expect(() => openBlock(bytes.subarray(0, length))).toThrow(
          expect.objectContaining({ code: 'corrupt_rollup' }),
        )
      }),
    )
  })
})

describe('a rollup view', () => {
  const hour = { fromMs: epochMs, toMs: epochMs + 3_600_000 }

  it('covers whole windows and says how wide they are', () => {
    const view = rollupView(records, { fromMs: epochMs + 12_345, toMs: epochMs + 34_000 }, 10)
    expect([view.fromMs, view.toMs, view.stepSeconds, view.length]).toEqual([
      epochMs + 10_000,
      epochMs + 40_000,
      10,
      3,
    ])
  })

  it('is as coarse as its coarsest record', () => {
    const view = rollupView([...records, ...mergeRollups(recordsOf(2), 60)], hour, 10)
    expect(view.stepSeconds).toBe(60)
  })

  it('counts nothing twice and nothing outside the range', () => {
    const whole = rollupView(records, { fromMs: epochMs, toMs: epochMs + 7_200_000 }, 60).series(
      'severity',
    )[0]
    const parts = [0, 1].map(
      i =>
        rollupView(
          records,
          { fromMs: epochMs + i * 3_600_000, toMs: epochMs + (i + 1) * 3_600_000 },
          60,
        ).series('severity')[0],
    )
    const total = (column: Float64Array | undefined) => column?.reduce((a, b) => a + b, 0)
    expect(total(whole?.count)).toBe(24)
    expect(parts.map(part => total(part?.count))).toEqual([12, 12])
  })

  it('answers quantiles and counts above a limit for parts of the range', () => {
    const graph = new TenantGraph({ tenant: 't', templates: [] })
    const spans = Array.from({ length: 100 }, (_, i) => ({
      service: 'a',
      id: i + 1,
      trace: i + 1,
      startMs: i < 50 ? 0 : 20_000,
      durationMs: i < 50 ? 10 : 1_000,
    }))
    graph.ingest(spanBatch(spans), epochMs)
    const view = rollupView(graph.cut().rollups, { fromMs: epochMs, toMs: epochMs + 30_000 }, 10)
    const service = view.series('service')[0]
    expect(service?.quantile(0.5, 0, 1)).toBeCloseTo(10, 0)
    expect(service?.quantile(0.5, 1, 2)).toBeNaN()
    expect((service?.quantile(0.5, 2, 3) ?? 0) / 1_000).toBeCloseTo(1, 1)
    expect([service?.countAbove(100), service?.countAbove(100, 0, 1), service?.countAbove(100, 2)]).toEqual([
      50, 0, 50,
    ])
    expect([...(service?.max ?? [])].map(ms => Math.round(ms / 50) * 50)).toEqual([0, 0, 1_000])
  })

  it('narrows edges to a service at either end', () => {
    const view = rollupView(records, hour, 600)
    expect(view.series('edge', 'pay').map(one => one.key.slice(0, 2))).toEqual([
      ['pay', 'web'],
      ['web', 'pay'],
    ])
    expect(view.series('service', 'pay').map(one => one.key)).toEqual([['pay']])
  })
})
