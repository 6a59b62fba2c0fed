import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TraceRows } from '../../src/model/reader.ts'
import type { SpanBlock } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { maxTraceSpans, readTraceTree, type TraceTree } from '../../src/tools/reading/trace-tree.ts'
import { type SpanSpec, spansOf } from './otlp-json.ts'
import { hex } from './shop-telemetry.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const startMs = Date.UTC(2026, 0, 1)

function treeOf(spans: readonly Omit<SpanSpec, 'traceId'>[]): TraceTree {
  const json = {
    resourceSpans: [
      spansOf(
        'shop',
        spans.map(span => ({ traceId, ...span })),
      ),
    ],
  }
  const bytes = transcodeJson('traces', new TextEncoder().encode(JSON.stringify(json)))
  const { block, records } = decodeBatch('traces', bytes, { receivedMs: startMs, attributeMaxBytes: 1_000 })
  const rows: TraceRows = {
    traceId,
    parts: [{ block: block as SpanBlock, rows: [...Array(block.count).keys()], records }], // decoded as traces
    duplicates: 0,
  }
  return readTraceTree(rows)
}

const span = (
  id: number,
  parent: number | null,
  from: number,
  length: number,
): Omit<SpanSpec, 'traceId'> => ({
  spanId: hex(id, 16),
  ...(parent === null ? {} : { parentSpanId: hex(parent, 16) }),
  name: `op ${id}`,
  startMs: startMs + from,
  durationMs: length,
})

describe('a trace as a list', () => {
  it('counts concurrent children once and follows the child that ended last', () => {
    const tree = treeOf([span(1, null, 0, 100), span(2, 1, 10, 40), span(3, 1, 20, 60), span(4, 3, 30, 50)])
    expect(tree.spans.map(one => [one.operation, one.parent, one.depth, one.selfMs, one.critical])).toEqual([
      ['op 1', 0, 0, 30, true],
      ['op 2', 1, 1, 40, false],
      ['op 3', 1, 1, 10, true],
      ['op 4', 3, 2, 50, true],
    ])
    expect(tree.durationMs).toBe(100)
  })

  it('marks spans whose parent is missing', () => {
    const tree = treeOf([span(1, null, 0, 10), span(2, 9, 1, 5)])
    expect(tree.spans.map(one => [one.parent, one.orphan])).toEqual([
      [0, false],
      [0, true],
    ])
  })

  it('holds every span once, whatever the parents are and whatever order they come in', () => {
    const spans = fc.array(
      fc.record({
        id: fc.integer({ min: 1, max: 12 }),
        parent: fc.option(fc.integer({ min: 1, max: 14 })),
        from: fc.integer({ min: 0, max: 50 }),
        length: fc.integer({ min: 0, max: 50 }),
      }),
      { minLength: 1, maxLength: 20 },
    )
    fc.assert(
      fc.property(spans, fc.infiniteStream(fc.nat()), (list, order) => {
        const made = list.map(one => span(one.id, one.parent, one.from, one.length))
        const tree = treeOf(made)
        expect(tree.spans.map(one => one.ordinal)).toEqual(made.map((_, at) => at + 1))
        expect(tree.spans.every(one => one.parent < one.ordinal && one.selfMs <= one.durationMs)).toBe(true)
        const shuffled = made
          .map(one => ({ one, key: order.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one)
        const shape = (of: TraceTree) => of.spans.map(one => [one.spanId, one.depth, one.offsetMs]).sort()
        const ids = new Set(made.map(one => one.spanId))
        // Spans that share an id cannot be told apart as parents, so only the others are compared.
        if (ids.size === made.length) expect(shape(treeOf(shuffled))).toEqual(shape(tree))
      }),
      { numRuns: 300 },
    )
  })

  it('is bounded for a chain longer than any real one', () => {
    const tree = treeOf(
      Array.from({ length: maxTraceSpans + 500 }, (_, at) => span(at + 1, at === 0 ? null : at, at, 1)),
    )
    expect(tree.spans).toHaveLength(maxTraceSpans)
    expect(tree.cut).toBe(500)
    expect(tree.spans.at(-1)?.depth).toBe(maxTraceSpans - 1)
  })
})
