/** docs/segment-format.md is true: a reader written from it alone finds what went in. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from '../../src/model/crc32c.ts'
import { type Block, recordOf, signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { checkPart, formatVersion } from '../../src/store/part.ts'
import { tokensOf } from '../../src/store/search/fold-text.ts'
import { eachTextRange } from '../../src/store/search/log-text.ts'
import { TermMatcher } from '../../src/store/search/term-matcher.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import {
  framePartsOf,
  readBlock,
  readDictionary,
  readRecords,
  readTerms,
} from '../../src/store/segment/read-segment.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'
import { type DocumentedSegment, documentedHash, readDocumentedSegment } from './segment-document.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The part as if another version had written it. */
function ofVersion(part: Uint8Array, version: number): Uint8Array {
  const copy = part.slice()
  copy[0] = version
  new DataView(copy.buffer).setUint32(copy.length - 4, crc32c(copy, 0, copy.length - 4), true)
  return copy
}

/** A column of the block as the document's reader gives it. */
function expected(block: Block, name: string): readonly (number | bigint | string)[] {
  const rows = Array.from({ length: block.count }, (_, row) => row)
  const ids = (column: Uint8Array, size: number): string[] =>
    rows.map(row => hex(column.subarray(row * size, (row + 1) * size)))
  const times = (high: Uint32Array, low: Uint32Array): bigint[] =>
    rows.map(row => (BigInt(high[row] ?? 0) << 32n) + BigInt(low[row] ?? 0))
  if (name === 'resource' || name === 'scope' || name === 'flags') return [...block[name]]
  if (block.signal === 'traces') {
    if (name === 'trace id') return ids(block.traceId, 16)
    if (name === 'span id') return ids(block.spanId, 8)
    if (name === 'parent span id') return ids(block.parentSpanId, 8)
    if (name === 'start') return times(block.startHi, block.startLo)
    if (name === 'end') return times(block.endHi, block.endLo)
    const plain = { kind: block.kind, status: block.status, 'peer kind': block.peerKind, links: block.links }
    const more = {
      'HTTP status': block.httpStatus,
      name: block.name,
      'error type': block.errorType,
      peer: block.peer,
    }
    return [...({ ...plain, ...more }[name] ?? [])]
  }
  if (block.signal === 'logs') {
    if (name === 'trace id') return ids(block.traceId, 16)
    if (name === 'span id') return ids(block.spanId, 8)
    if (name === 'time') return times(block.timeHi, block.timeLo)
    return [
      ...({ severity: block.severity, 'event name': block.eventName, template: block.template }[name] ?? []),
    ]
  }
  if (name === 'time') return times(block.timeHi, block.timeLo)
  if (name === 'start') return times(block.startHi, block.startLo)
  return [
    ...({ metric: block.metric, value: block.value, 'point count': block.pointCount, series: block.series }[
      name
    ] ?? []),
  ]
}

function compare(read: DocumentedSegment, parts: ReadonlyMap<string, Uint8Array>): void {
  const columns = readBlock(parts)
  const { block } = columns
  expect(read.signal).toBe(block.signal)
  expect(read.texts).toEqual(block.strings)
  expect(read.resources.map(one => [one.texts[0], hex(one.message)])).toEqual(
    block.resources.map(one => [one.service, hex(one.bytes)]),
  )
  expect(read.scopes.map(one => [one.texts, hex(one.message)])).toEqual(
    block.scopes.map(one => [[one.name, one.version, one.schemaUrl], hex(one.bytes)]),
  )
  for (const [name, values] of Object.entries(read.columns))
    if (name !== 'held') expect([name, values]).toEqual([name, expected(block, name)])
  expect(read.columns['held']).toEqual([...columns.held])
  const records = readRecords(columns, readDictionary(parts), parts, null)
  expect(read.messages.map(hex)).toEqual(read.messages.map((_, row) => hex(recordOf(records, row))))
}

/** A search for a word finds at least the frames in which the document says that it is. */
/** Words of the texts of the messages and the frames they are in, by folding each text as a whole. */
function wordsOf(messages: readonly Uint8Array[]): ReadonlyMap<string, readonly number[]> {
  const words = new Map<string, number[]>()
  for (const [row, message] of messages.entries()) {
    const frame = Math.floor(row / 128)
    const add = (text: string): void => {
      for (const word of tokensOf(text)) {
        const frames = words.get(word) ?? []
        if (frames.at(-1) !== frame) frames.push(frame)
        words.set(word, frames)
      }
    }
    const range = (from: number, to: number): void => add(Buffer.from(message.slice(from, to)).toString())
    eachTextRange(message, { range, text: add })
  }
  return words
}

function compareWords(read: DocumentedSegment, parts: ReadonlyMap<string, Uint8Array>): void {
  expect(new Map([...read.words].sort())).toEqual(new Map([...wordsOf(read.messages)].sort()))
  const terms = readTerms(parts)
  expect(read.words.size).toBe(terms.count)
  for (const [word, frames] of [...read.words].slice(0, 200)) {
    const found = terms.framesOf(new TermMatcher(word))
    expect([word, frames.filter(frame => found?.[frame] !== 1)]).toEqual([word, []])
  }
}

describe('the documented format', () => {
  it('is the version that is written', () => {
    expect(formatVersion).toBe(3)
  })

  it('has shapes of bodies, and is read where it is of the version that had none', () => {
    const entries = (['logs', 'traces'] as const).map(signal => {
      const bodies = fc.sample(requests[signal], { numRuns: 60, seed: 5 })
      const batches = bodies.map(body => decodeBatch(signal, body, { receivedMs, attributeMaxBytes: 65_536 }))
      return batches.map((batch, index) => ({ position: index + 1, receivedMs, batch, templates: null }))
    })
    const [logs, spans] = (['logs', 'traces'] as const).map((signal, index) =>
      buildSegments({ tenant: 'acme', signal, inboxId: 'ab'.repeat(16), entries: entries[index] ?? [] }),
    )
    expect(readDocumentedSegment(logs?.[0]?.parts ?? new Map()).shapes).toBeGreaterThan(3)
    const parts = spans?.[0]?.parts ?? new Map<string, Uint8Array>()
    const older = new Map([...parts].map(([name, part]) => [name, ofVersion(part, 2)]))
    expect(readDocumentedSegment(older)).toEqual(readDocumentedSegment(parts))
    const columns = readBlock(older)
    expect(readRecords(columns, readDictionary(older), older, null)).toEqual(
      readRecords(readBlock(parts), readDictionary(parts), parts, null),
    )
    expect(() => checkPart(ofVersion(parts.get('columns') ?? new Uint8Array(), 1))).toThrow('first release')
  })

  it.each(signals)('of %s: every column, message, trace and word is where the document says', signal => {
    let rows = 0
    let frames = 0
    for (const [seed, size] of [
      [1, 3],
      [2, 20],
      [3, 240],
    ] as const) {
      const entries = fc.sample(requests[signal], { numRuns: size, seed }).map((body, index) => {
        const batch = decodeBatch(signal, body, { receivedMs, attributeMaxBytes: 65_536 })
        return { position: index + 1, receivedMs, batch, templates: null }
      })
      const segments = buildSegments({ tenant: 'acme', signal, inboxId: 'ab'.repeat(16), entries })
      for (const { parts } of segments) {
        const read = readDocumentedSegment(parts)
        compare(read, parts)
        rows += read.rows
        frames = Math.max(frames, framePartsOf(readBlock(parts).block, null).length)
        if (signal === 'metrics') continue
        const ids = [...new Set(read.columns['trace id'] as readonly string[])].filter(id => !/^0*$/.test(id))
        const sorted = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b)
        expect(read.prefixes).toEqual(sorted(ids.map(id => Number.parseInt(id.slice(0, 8), 16))))
        expect(read.hashes).toEqual(sorted(ids.map(documentedHash)))
        if (signal === 'logs') compareWords(read, parts)
      }
    }
    expect(rows).toBeGreaterThan(500)
    expect(frames).toBeGreaterThan(1)
  })
})
