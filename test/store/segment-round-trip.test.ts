import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SegmentRecord } from '../../src/model/store.ts'
import { recordOf, signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { matchingRows } from '../../src/query/trace-rows.ts'
import { buildSegments, type SegmentEntry } from '../../src/store/segment/build-segments.ts'
import { ByteReader, ByteWriter } from '../../src/store/segment/bytes.ts'
import { IdTable } from '../../src/store/segment/id-table.ts'
import { wantedTraces } from '../../src/store/segment/picked-spans.ts'
import {
  framePartsOf,
  readBlock,
  readColumns,
  readDictionary,
  readLayout,
  readRecords,
  readSpans,
  readTraceRows,
} from '../../src/store/segment/read-segment.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'
import { factsOf } from './item-facts.ts'
import { encode, requestTypes } from './protobuf-root.ts'

const context = { receivedMs, attributeMaxBytes: 65_536 }

function entriesOf(signal: (typeof signals)[number], bodies: readonly Uint8Array[]): readonly SegmentEntry[] {
  return bodies.map((body, index) => ({
    position: index + 1,
    receivedMs,
    batch: decodeBatch(signal, body, context),
    templates: null,
  }))
}

function sealed(
  signal: (typeof signals)[number],
  entries: readonly SegmentEntry[],
): readonly SegmentRecord[] {
  return buildSegments({ tenant: 'acme', signal, inboxId: 'ab'.repeat(16), entries })
}

describe('a text of a segment', () => {
  it('keeps a byte order mark at its beginning', () => {
    const out = new ByteWriter()
    out.text('\ufefflevel')
    expect(new ByteReader(out.done()).text()).toBe('\ufefflevel')
  })
})

describe.each(signals)('a segment of %s', signal => {
  it('gives back every column and every field of what was decoded', () => {
    let items = 0
    fc.assert(
      fc.property(fc.array(requests[signal], { minLength: 1, maxLength: 4 }), bodies => {
        const entries = entriesOf(signal, bodies)
        const before = entries.flatMap(({ batch }) => factsOf(batch.block, batch.records)).sort()
        const after = sealed(signal, entries).flatMap(({ parts }) => {
          const columns = readBlock(parts)
          return factsOf(columns.block, readRecords(columns, readDictionary(parts), parts, null))
        })
        items += before.length
        expect(after.sort()).toEqual(before)
      }),
      { numRuns: 80 },
    )
    expect(items).toBeGreaterThan(250)
  })

  it('has headers that cover their rows', () => {
    let rows = 0
    fc.assert(
      fc.property(fc.array(requests[signal], { minLength: 1, maxLength: 3 }), bodies => {
        for (const { header, parts } of sealed(signal, entriesOf(signal, bodies))) {
          const { block } = readBlock(parts)
          rows += block.count
          expect(header.count).toBe(block.count)
          const services = new Set([...block.resource].map(entry => block.resources[entry]?.service))
          expect(header.services).toEqual([...services].sort())
          expect(header.byteLength).toBe([...parts.values()].reduce((sum, part) => sum + part.length, 0))
        }
      }),
      { numRuns: 25 },
    )
    expect(rows).toBeGreaterThan(50)
  })

  it('unpacks only the frames of the rows asked for', () => {
    const bodies = fc.sample(requests[signal], { numRuns: 350, seed: 7 })
    const largest = sealed(signal, entriesOf(signal, bodies)).reduce((a, b) =>
      a.header.count > b.header.count ? a : b,
    )
    const columns = readBlock(largest.parts)
    expect(framePartsOf(columns, null).length).toBeGreaterThan(1)
    const rows = [columns.block.count - 1]
    const names = framePartsOf(columns, rows)
    expect(names).toHaveLength(1)
    const fetched = new Map([...largest.parts].filter(([name]) => names.includes(name)))
    const some = readRecords(columns, readDictionary(largest.parts), fetched, rows)
    const all = readRecords(columns, readDictionary(largest.parts), largest.parts, null)
    expect(factsOf(columns.block, some, rows)).toEqual(factsOf(columns.block, all, rows))
    expect(some.length.filter(length => length > 0)).toHaveLength(1)
  })
})

describe('the rows of a trace', () => {
  // Anew each time, so that each is different.
  const few = fc.array(requests.traces, { minLength: 1, maxLength: 6 })
  // Together, so that a segment has more than one group.
  const many = fc.sample(requests.traces, { numRuns: 350, seed: 11 })

  it('are the same whether they are read alone or with their group', () => {
    fc.assert(
      fc.property(few, chosen => {
        compareTraces(chosen)
      }),
      { numRuns: 25 },
    )
  })

  it('are the same in a segment of more than one group', () => {
    const { groups, rows, absent } = compareTraces(many)
    expect(groups).toBeGreaterThan(1)
    expect(rows).toBeGreaterThan(1_000)
    expect(absent).toBeGreaterThan(0)
  })
})

describe('wanted rows of a group', () => {
  const chosen = fc.sample(requests.traces, { numRuns: 350, seed: 11 })
  const segments = sealed('traces', entriesOf('traces', chosen))
  /** Every third, so that some groups have some of them; the id that stands for none in every second group. */
  const someOf = <T>(all: readonly T[]): readonly T[] => all.filter((_, at) => at % 3 === 0)

  it.each(['services', 'traces'] as const)(
    'by %s are those that its columns have, with their messages',
    by => {
      let [picked, left, empty] = [0, 0, 0]
      for (const { parts } of segments) {
        const layout = readLayout(parts)
        const dictionary = readDictionary(parts)
        for (const group of layout.groups) {
          const whole = readColumns(layout, group, parts)
          const { block } = whole
          if (block.signal !== 'traces') throw new Error('spans were sealed')
          const services = someOf([...new Set(block.resources.map(({ service }) => service))].sort())
          const ids = [
            ...someOf(idsIn(block.traceId)),
            ...(group.number % 2 === 0 ? [new Uint8Array(16)] : []),
          ]
          const wanted =
            by === 'services'
              ? { services }
              : wantedTraces(new Uint8Array(Buffer.concat(ids)), new IdTable(16, ids.length))
          const texts = new Set(ids.map(id => Buffer.from(id).toString('hex')))
          const isWanted = (row: number): boolean =>
            by === 'services'
              ? services.includes(block.resources[block.resource[row] ?? 0]?.service ?? '')
              : texts.has(Buffer.from(block.traceId.slice(row * 16, row * 16 + 16)).toString('hex'))
          const rows = [...block.kind.keys()].filter(isWanted)
          const some = readSpans(layout, group, parts, wanted)
          expect(some.picked).toEqual(rows)
          expect(factsOf(some.block, readRecords(some, dictionary, parts, null))).toEqual(
            factsOf(block, readRecords(whole, dictionary, parts, null), rows),
          )
          picked += rows.length
          left += block.count - rows.length
          const none = readSpans(layout, group, parts, { services: ['nobody at all'] })
          expect([none.block.count, none.picked]).toEqual([0, []])
          empty++
        }
      }
      expect(Math.min(picked, left)).toBeGreaterThan(200)
      expect(empty).toBeGreaterThan(1)
    },
  )
})

interface Compared {
  readonly groups: number
  readonly rows: number
  /** Ids that no group has. */
  readonly absent: number
}

/** Reads every trace of the requests alone and with its group. */
function compareTraces(chosen: Uint8Array[]): Compared {
  let [groups, rowCount, absent] = [0, 0, 0]
  for (const { parts } of sealed('traces', entriesOf('traces', chosen))) {
    const layout = readLayout(parts)
    const dictionary = readDictionary(parts)
    for (const group of layout.groups) {
      groups++
      const whole = readColumns(layout, group, parts)
      if (whole.block.signal !== 'traces') throw new Error('spans were sealed')
      const all = readRecords(whole, dictionary, parts, null)
      for (const id of idsIn(whole.block.traceId)) {
        const rows = matchingRows(whole.block, id)
        const alone = readTraceRows(layout, group, parts, id)
        if (alone === null) throw new Error('a trace of the group was not found')
        const frames = new Map(framePartsOf(alone, null).map(name => [name, parts.get(name) as Uint8Array]))
        expect([...frames.keys()]).toEqual(framePartsOf(whole, rows))
        expect(factsOf(alone.block, readRecords(alone, dictionary, frames, null))).toEqual(
          factsOf(whole.block, all, rows),
        )
        const last = [alone.block.count - 1]
        expect(factsOf(alone.block, readRecords(alone, dictionary, frames, last), last)).toEqual(
          factsOf(whole.block, all, rows.slice(-1)),
        )
        rowCount += rows.length
      }
      // Halves of two ids that stand together are no id.
      const between = whole.block.traceId.slice(8, 24)
      if (between.length < 16 || matchingRows(whole.block, between).length > 0) continue
      expect(readTraceRows(layout, group, parts, between)).toBeNull()
      absent++
    }
  }
  return { groups, rows: rowCount, absent }
}

/** The distinct ids of a column, without the one that stands for none. */
function idsIn(column: Uint8Array): readonly Uint8Array[] {
  const ids = new Map<string, Uint8Array>()
  for (let at = 0; at < column.length; at += 16) {
    const id = column.slice(at, at + 16)
    if (id.some(byte => byte !== 0)) ids.set(Buffer.from(id).toString('hex'), id)
  }
  return [...ids.values()]
}

describe('a row of a segment of logs', () => {
  it('is found behind lines that their shape says whole', () => {
    const body = encode(requestTypes.logs, {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: ['no numbers', 'no numbers', 'no numbers', 'order 7 shipped'].map(
                (stringValue, n) => ({
                  timeUnixNano: `${receivedMs + n}000000`,
                  body: { stringValue },
                }),
              ),
            },
          ],
        },
      ],
    })
    const [segment] = sealed('logs', entriesOf('logs', [body]))
    const parts = segment?.parts ?? new Map<string, Uint8Array>()
    const columns = readBlock(parts)
    const records = readRecords(columns, readDictionary(parts), parts, [3])
    expect(Buffer.from(recordOf(records, 3)).includes('order 7 shipped')).toBe(true)
  })
})

describe('ids of segments', () => {
  it('follow from what they hold, so that sealing twice adds nothing', () => {
    const entries = entriesOf('traces', fc.sample(requests.traces, { numRuns: 5, seed: 3 }))
    const ids = sealed('traces', entries).map(segment => segment.header.id)
    expect(ids.length).toBeGreaterThan(0)
    expect(sealed('traces', entries).map(segment => segment.header.id)).toEqual(ids)
    const other = buildSegments({ tenant: 'other', signal: 'traces', inboxId: 'ab'.repeat(16), entries })
    expect(other.some(segment => ids.includes(segment.header.id))).toBe(false)
  })
})
