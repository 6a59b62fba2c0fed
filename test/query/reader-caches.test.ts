import { LRUCache } from 'lru-cache'
import { describe, expect, test } from 'vitest'
import { CellTable } from '../../src/graph/rollups/cell-table.ts'
import { encodeCells } from '../../src/graph/rollups/encode.ts'
import { toRecords } from '../../src/graph/rollups/merge.ts'
import { rollupView } from '../../src/graph/rollups/rollup-view.ts'
import { kindNumber, SeriesKeys } from '../../src/graph/rollups/series-keys.ts'
import type { RollupRecord } from '../../src/model/store.ts'
import { ColumnCache } from '../../src/query/column-cache.ts'
import { KnownSections } from '../../src/query/known-sections.ts'
import { createReaderCaches, defaultCacheBytes, shrinkCaches } from '../../src/query/reader-caches.ts'
import { TraceFilter } from '../../src/store/segment/trace-filter.ts'

const range = { fromMs: 0, toMs: 60_000 }

/** Services with one request each, as one record. */
function recordOf(services: readonly string[]): RollupRecord {
  const table = new CellTable()
  const series = new SeriesKeys()
  for (const service of services)
    table.add(table.cell(series.add(kindNumber('service'), [service]), 1), 1, 0, 0)
  const origin = { tenant: 't', stepSeconds: 10, receivedMs: 0, source: services.join() }
  const [record] = toRecords(encodeCells(table, series, 10), origin)
  if (record === undefined) throw new Error('cells make a record')
  return record
}

const namesIn = (records: readonly RollupRecord[], sections: KnownSections): readonly string[] =>
  rollupView(records, range, 10, sections)
    .series('service')
    .map(series => series.key.join())

describe('what a reader keeps', () => {
  test.each([defaultCacheBytes, 1_000_000])('takes %d bytes in all and no more', maxBytes => {
    const { corrupt, retirements, ...byBytes } = createReaderCaches(maxBytes)
    const bounds = Object.values(byBytes).map(one =>
      one instanceof LRUCache || one instanceof ColumnCache ? one.maxSize : 0,
    )
    const sum = bounds.reduce((all, bound) => all + bound, 0)
    expect([corrupt.maxSize, retirements.max].every(bound => bound > 0)).toBe(true)
    expect(sum).toBeLessThanOrEqual(maxBytes)
    expect(sum).toBeGreaterThan(0.99 * maxBytes)
  })

  test('gives up what was used least lately when memory is scarce', () => {
    const caches = createReaderCaches(400_000)
    const records = Array.from({ length: 40 }, (_, at) => recordOf([`service ${at}`]))
    for (const record of records) caches.rollups.set(record.id, record)
    const { size: all, calculatedSize: bytes } = caches.rollups
    shrinkCaches(caches, 0.5)
    expect(caches.rollups.calculatedSize).toBeLessThanOrEqual(bytes * 0.5)
    expect(caches.rollups.size).toBeGreaterThan(0)
    expect(caches.rollups.size).toBeLessThan(all)
    expect([...caches.rollups.keys()][0]).toBe(records.at(-1)?.id)
    shrinkCaches(caches, 0)
    expect(caches.rollups.size).toBe(0)
  })

  test('keeps what is small and made of much: filters of traces and counts of points', () => {
    const caches = createReaderCaches(400_000)
    const index = { prefixes: Uint32Array.of(1, 7), hashes: Uint32Array.of(2, 9), groups: null }
    caches.traceFilters.set('a segment', new TraceFilter(index))
    caches.pointCounts.set('another', { metrics: [], counts: [] })
    caches.traces.set('a segment', index)
    shrinkCaches(caches, 0)
    expect([caches.traceFilters.size, caches.pointCounts.size, caches.traces.size]).toEqual([1, 1, 0])
  })

  test('goes by the names that it was learnt with, also when these have made room for others', () => {
    // Room for some sections, and for the names of one tenant.
    const caches = createReaderCaches(40_000)
    const first = recordOf(['cart', 'pay', 'web'])
    const second = recordOf(['web'])
    const others = recordOf(Array.from({ length: 24 }, (_, at) => `other ${at}`))
    expect(namesIn([first, second], new KnownSections('a', caches))).toEqual(['cart', 'pay', 'web'])
    new KnownSections('a', caches)
    namesIn([others], new KnownSections('b', caches))
    new KnownSections('b', caches)
    expect(caches.names.has('a')).toBe(false)
    expect(namesIn([second], new KnownSections('a', caches))).toEqual(['web'])
    expect(namesIn([second, first], new KnownSections('a', caches))).toEqual(['cart', 'pay', 'web'])
  })
})
