import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CellTable } from '../../../src/graph/rollups/cell-table.ts'
import { openBlock } from '../../../src/graph/rollups/decode.ts'
import { encodeCells } from '../../../src/graph/rollups/encode.ts'
import { mergeGroup, mergeRollups, toRecords, worthMerging } from '../../../src/graph/rollups/merge.ts'
import { sectionsOf, sliceLimits } from '../../../src/graph/rollups/merge-slices.ts'
import { finish } from '../../../src/graph/rollups/pieces.ts'
import { kindNumber, SeriesKeys } from '../../../src/graph/rollups/series-keys.ts'
import type { RollupRecord } from '../../../src/model/store.ts'
import { cellText } from '../cell-text.ts'
import { logCountRecords, loggedTotal } from '../log-count-records.ts'

interface Cell {
  readonly kind: 'service' | 'edge' | 'severity' | 'metric'
  readonly name: string
  readonly window: number
  readonly amount: number
  readonly buckets: readonly number[]
}

/** One block's cells as a record of its own. */
function recordOf(cells: readonly Cell[], source: string): readonly RollupRecord[] {
  const table = new CellTable()
  const series = new SeriesKeys()
  const parts = { service: 1, edge: 4, severity: 2, metric: 6 }
  for (const { kind, name, window, amount, buckets } of cells) {
    const key = Array.from({ length: parts[kind] }, (_, part) => (part === 0 ? name : ''))
    const cell = table.cell(series.add(kindNumber(kind), key), window)
    if (kind === 'metric') table.addPoint(cell, 1 + window * 10_000, amount, 1, amount)
    else table.add(cell, amount, 0, kind === 'severity' ? 0 : amount * 1_000)
    if (kind !== 'severity' && kind !== 'metric')
      for (const bucket of buckets) table.buckets.add(cell, bucket, 1)
  }
  const origin = { tenant: 't', stepSeconds: 10, receivedMs: 0, source }
  return toRecords(encodeCells(table, series, 10), origin)
}

function severities(services: number, from: number, to: number, source: string): readonly RollupRecord[] {
  return logCountRecords({ services, from, to, source })
}

function inPieces(
  records: readonly RollupRecord[],
  stepSeconds: number,
  limits = sliceLimits,
): { readonly merged: RollupRecord[]; readonly pieces: readonly number[] } {
  const steps = mergeGroup(records, stepSeconds, limits)
  const pieces: number[] = []
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return { merged: value, pieces }
    pieces.push(value)
  }
}

function windowsOf(record: RollupRecord): number[] {
  return [...sectionsOf(record)].flatMap(({ decoded }) => [...decoded.cells.window])
}

function bucketsOf(record: RollupRecord): number {
  return [...sectionsOf(record)].reduce((sum, { decoded }) => sum + decoded.cells.buckets.length, 0)
}

const cell: fc.Arbitrary<Cell> = fc.record({
  kind: fc.constantFrom('service', 'edge', 'severity', 'metric'),
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  // The windows of one block, now and then all in a few of them.
  window: fc.oneof(fc.nat(359), fc.integer({ min: 200, max: 204 })),
  amount: fc.integer({ min: -5, max: 100 }),
  buckets: fc.array(fc.nat(719), { maxLength: 6 }),
})
const records = fc
  .array(fc.array(cell, { maxLength: 60 }), { minLength: 1, maxLength: 6 })
  .map(all => all.flatMap((cells, at) => recordOf(cells, `record ${at}`)))
  .filter(all => all.length > 0)
const limits = fc.record({ cells: fc.integer({ min: 1, max: 40 }), buckets: fc.integer({ min: 1, max: 60 }) })

describe('merging in slices', () => {
  it('gives the cells that merging at once gives, none of them twice, whatever a slice may hold', () => {
    fc.assert(
      fc.property(records, limits, fc.constantFrom(10, 60), (parts, bounds, stepSeconds) => {
        const { merged } = inPieces(parts, stepSeconds, bounds)
        expect(cellText(merged, stepSeconds)).toEqual(cellText(parts, stepSeconds))
        const windows = merged.flatMap(record => [...new Set(windowsOf(record))])
        expect(new Set(windows).size).toBe(windows.length)
        expect(inPieces(parts.toReversed(), stepSeconds, bounds).merged).toEqual(merged)
      }),
      { numRuns: 300 },
    )
  })

  it('never has more cells or counts of buckets in a record than a slice may hold, but for a single window', () => {
    fc.assert(
      fc.property(records, limits, (parts, bounds) => {
        for (const record of inPieces(parts, 10, bounds).merged) {
          const windows = windowsOf(record)
          if (new Set(windows).size === 1) continue
          expect(windows.length).toBeLessThanOrEqual(bounds.cells)
          expect(bucketsOf(record)).toBeLessThanOrEqual(bounds.buckets * 1.4)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('bounds the cells of a record that many large ones become', () => {
    const parts = [0, 1, 2, 3].flatMap(at => severities(900, at * 90, at * 90 + 90, `record ${at}`))
    const merged = mergeRollups(parts, 10)
    expect(merged.map(record => windowsOf(record).length)).toEqual([162_000, 162_000])
    expect(loggedTotal(merged)).toBe(loggedTotal(parts))
  })

  it('stops on the way, the more often the more there is, and not at all for a little', () => {
    const large = [0, 1].flatMap(at => severities(500, 0, 360, `record ${at}`))
    const { pieces } = inPieces(large, 60)
    expect(pieces.length).toBeGreaterThan(10)
    expect(Math.max(...pieces)).toBeLessThan(2 ** 19)
    const small = [0, 1, 2, 3].flatMap(at => severities(3, at, at + 2, `record ${at}`))
    expect(inPieces(small, 10).pieces.reduce((sum, work) => sum + work, 0)).toBeLessThan(2_000)
  })

  it('refuses a record whose cells lie outside of the time it says it is about', () => {
    const [record] = severities(2, 10, 20, 'record')
    if (record === undefined) throw new Error('no record')
    for (const wrong of [
      { ...record, fromMs: record.fromMs + 10_000 },
      { ...record, toMs: record.toMs - 10_000 },
      { ...record, stepSeconds: 60 },
    ])
      expect(() => mergeRollups([wrong], 60)).toThrow(expect.objectContaining({ code: 'corrupt_rollup' }))
  })
})

describe('worth merging into the same width', () => {
  const large = severities(400, 0, 340, 'large')
  const small = [345, 350, 355].flatMap(window => severities(2, window, window + 2, `small ${window}`))

  it('are small records, but not what is large and has its time for itself', () => {
    expect(large.map(record => openBlock(record.bytes).rawBytes > 2 ** 18)).toEqual([true])
    expect(finish(worthMerging([...large, ...small]))).toEqual(small)
    expect(finish(worthMerging([...large, ...small.slice(1, 2)]))).toEqual([])
  })

  it('is what is large and shares a window with another', () => {
    const late = severities(2, 100, 101, 'late')
    expect(finish(worthMerging([...small, ...large, ...late]))).toEqual([...small, ...large, ...late])
  })
})
