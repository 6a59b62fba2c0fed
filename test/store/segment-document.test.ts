/** docs/segment-format.md is true: a reader written from it alone finds what went in. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from '../../src/model/crc32c.ts'
import { type Block, recordOf, signals } from '../../src/model/telemetry.ts'
import { attributesOfLog, attributesOfResource, attributesOfSpan } from '../../src/otlp/attributes.ts'
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
  readTermBlock,
  readTerms,
} from '../../src/store/segment/read-segment.ts'
import { TermDirectory } from '../../src/store/segment/term-index.ts'
import { receivedMs, requests } from './arbitrary-requests.ts'
import {
  type DocumentedSegment,
  documentedEntry,
  documentedFilter,
  documentedHash,
  readDocumentedSegment,
} from './segment-document.ts'

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
  expect(terms).toBeInstanceOf(TermDirectory)
  if (!(terms instanceof TermDirectory)) return
  const blocks = Array.from({ length: terms.blocks }, (_, number) => readTermBlock(parts, number))
  expect(read.words.size).toBe(blocks.reduce((sum, block) => sum + block.count, 0))
  for (const [word, frames] of [...read.words].slice(0, 200)) {
    const matcher = new TermMatcher(word)
    const { from, to } = terms.blocksOf(Buffer.from(matcher.commonPrefix))
    const found = blocks.slice(from, to).map(block => block.framesOf(matcher))
    const missing = frames.filter(frame => !found.some(flags => flags?.[frame] === 1))
    expect([word, missing]).toEqual([word, []])
  }
}

/** Groups hold the times and traces of their rows. */
function compareGroups(read: DocumentedSegment): void {
  const index = read.columns[read.signal === 'traces' ? 'start' : 'time'] as readonly bigint[]
  expect(index).toHaveLength(read.rows)
  for (const [group, [oldest, newest]] of read.groupTimes.entries()) {
    const own = index.slice(group * read.groupRows, (group + 1) * read.groupRows)
    expect([oldest, newest]).toEqual([
      own.reduce((a, b) => (b < a ? b : a)),
      own.reduce((a, b) => (b > a ? b : a)),
    ])
  }
  if (read.signal !== 'traces') return
  const groups = new Map<number, number>()
  for (const [row, id] of (read.columns['trace id'] as readonly string[]).entries()) {
    if (/^0*$/.test(id)) continue
    const hash = documentedHash(id)
    groups.set(hash, (groups.get(hash) ?? 0) | (1 << Math.min(15, Math.floor(row / read.groupRows))))
  }
  expect(read.traceGroups).toEqual(read.hashes.map(hash => groups.get(hash)))
}

/** Every attribute that is a string stands in one of the filters; returns how many. */
function compareAttributes(read: DocumentedSegment, parts: ReadonlyMap<string, Uint8Array>): number {
  const messages = [
    ...read.messages.map(message => (read.signal === 'traces' ? attributesOfSpan : attributesOfLog)(message)),
    ...read.resources.map(({ message }) => attributesOfResource(message)),
  ]
  let found = 0
  for (const { key, value } of messages.flat().slice(0, 500)) {
    if (typeof value !== 'string') continue
    const entry = documentedEntry(Buffer.from(key), 0x0a, Buffer.from(value.toLowerCase()))
    // A key that stands where it usually does not is known by name alone.
    const byName = documentedEntry(Buffer.from(key), 1, new Uint8Array())
    const held =
      documentedFilter(parts, 'attributes', entry) ||
      documentedFilter(parts, 'values', entry) ||
      documentedFilter(parts, 'attributes', byName)
    expect([key, value, held]).toEqual([key, value, true])
    found++
  }
  return found
}

describe('the documented format', () => {
  it('is the version that is written', () => {
    expect(formatVersion).toBe(4)
  })

  it('has shapes of bodies', () => {
    const bodies = fc.sample(requests.logs, { numRuns: 60, seed: 5 })
    const entries = bodies.map((body, index) => {
      const batch = decodeBatch('logs', body, { receivedMs, attributeMaxBytes: 65_536 })
      return { position: index + 1, receivedMs, batch, templates: null }
    })
    const [logs] = buildSegments({ tenant: 'acme', signal: 'logs', inboxId: 'ab'.repeat(16), entries })
    expect(readDocumentedSegment(logs?.parts ?? new Map()).shapes).toBeGreaterThan(3)
    expect(() => checkPart(ofVersion(logs?.parts.get('columns') ?? new Uint8Array(), 1))).toThrow(
      'first release',
    )
  })

  it.each(signals)('of %s: every column, message, trace and word is where the document says', signal => {
    let rows = 0
    let frames = 0
    let groups = 0
    let attributes = 0
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
        compareGroups(read)
        rows += read.rows
        groups = Math.max(groups, read.groupTimes.length)
        frames = Math.max(frames, framePartsOf(readBlock(parts), null).length)
        if (signal === 'metrics') continue
        attributes += compareAttributes(read, parts)
        const ids = [...new Set(read.columns['trace id'] as readonly string[])].filter(id => !/^0*$/.test(id))
        const sorted = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b)
        expect(read.prefixes).toEqual(sorted(ids.map(id => Number.parseInt(id.slice(0, 8), 16))))
        expect(read.hashes).toEqual(sorted(ids.map(documentedHash)))
        if (signal === 'logs') compareWords(read, parts)
      }
    }
    expect(rows).toBeGreaterThan(500)
    expect(frames).toBeGreaterThan(1)
    expect(attributes).toBeGreaterThan(signal === 'metrics' ? -1 : 50)
    expect(groups).toBeGreaterThan(signal === 'metrics' ? 0 : 1)
  })
})
