/** What is fuzzed: each target makes an input from random numbers and feeds it; only stated refusals may be thrown. */
import fc from 'fast-check'
import { decodeReceived } from '../../src/engine/codec.ts'
import { inflateAgain } from '../../src/engine/inbox/decompression.ts'
import { decodeRow, encodeRow, type StoredRow } from '../../src/engine/inbox/inbox-row.ts'
import { InvalidInputError, StoreError } from '../../src/errors.ts'
import { openBlock } from '../../src/graph/rollups/decode.ts'
import { kindShapes } from '../../src/graph/rollups/series-keys.ts'
import { TenantGraph } from '../../src/graph/tenant-graph.ts'
import { crc32c } from '../../src/model/crc32c.ts'
import type { SegmentRecord } from '../../src/model/store.ts'
import { type Block, type Signal, signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { decodeRecord } from '../../src/otlp/decode-record.ts'
import { requestJson } from '../../src/otlp/encode-request.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { checkPart } from '../../src/store/part.ts'
import { parseLogQuery, termsOf } from '../../src/store/search/log-query.ts'
import { TermMatcher } from '../../src/store/search/term-matcher.ts'
import { buildSegments } from '../../src/store/segment/build-segments.ts'
import {
  canPickSpans,
  readBlock,
  readDictionary,
  readLayout,
  readRecords,
  readTermBlock,
  readTerms,
  readTraceRows,
  readTraces,
} from '../../src/store/segment/read-segment.ts'
import { TermDirectory, TermIndex } from '../../src/store/segment/term-index.ts'
import { tools } from '../../src/tools/registry.ts'
import { mutate } from '../otlp/mutation.ts'
import { receivedMs, requests } from '../store/arbitrary-requests.ts'
import { mutateJson, mutateMessage, type Random } from './structure.ts'

export interface FuzzTarget {
  readonly name: string
  /** Inputs in a round for each one of the costliest targets. */
  readonly share: number
  /** Makes one input and feeds it; returns how many bytes it had. Throws only what `isRefusal` accepts. */
  run(random: Random): number
}

const settings = { attributeMaxBytes: 65_536 }

/** The two kinds of failure that input may have; anything else that is thrown is a defect. */
export function isRefusal(error: unknown): boolean {
  return error instanceof InvalidInputError || error instanceof StoreError
}

interface Corpus {
  readonly requests: Readonly<Record<Signal, readonly Uint8Array[]>>
  readonly json: Readonly<Record<Signal, readonly string[]>>
  readonly segments: readonly SegmentRecord[]
  readonly rollups: readonly Uint8Array[]
  readonly rows: readonly StoredRow[]
}

/** Valid inputs that the damages start from; the same for every seed. */
function makeCorpus(): Corpus {
  const of = <T>(make: (signal: Signal) => T): Record<Signal, T> => ({
    traces: make('traces'),
    logs: make('logs'),
    metrics: make('metrics'),
  })
  // The smaller half: large ones repeat what small ones have, and cost the time of ten of them.
  const bodies = of(signal =>
    fc
      .sample(requests[signal], { numRuns: 120, seed: 21 })
      .sort((a, b) => a.length - b.length)
      .slice(10, 70),
  )
  const batches = of(signal =>
    bodies[signal].map(body => decodeBatch(signal, body, { receivedMs, ...settings })),
  )
  const graph = new TenantGraph({ tenant: 'acme', templates: [] })
  // Small ones: each input reads a whole segment.
  const segments = signals.flatMap(signal =>
    Array.from({ length: 10 }, (_, slice) =>
      buildSegments({
        tenant: 'acme',
        signal,
        inboxId: 'ab'.repeat(16),
        entries: batches[signal].slice(slice * 2, slice * 2 + 2).map((batch, at) => ({
          position: at + 1,
          receivedMs,
          batch,
          templates: graph.ingest(batch, receivedMs).templates,
        })),
      }),
    ).flat(),
  )
  return {
    requests: bodies,
    json: of(signal =>
      batches[signal].map(({ block, records }) =>
        Buffer.from(requestJson({ block, records })).toString('utf8'),
      ),
    ),
    segments,
    rollups: graph.cut('fuzz').rollups.map(record => record.bytes),
    rows: signals.flatMap(signal =>
      bodies[signal].slice(0, 10).map((body, at) =>
        encodeRow({
          position: at + 1,
          tenant: 'acme',
          signal,
          receivedMs,
          encoding: 'protobuf',
          compression: 'none',
          rawBytes: body.length,
          items: 1,
          refusals: [{ index: at, reason: 'because' }],
          body,
        }),
      ),
    ),
  }
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random(list.length)] as T // lists of ours, none of them empty
}

/** Half of the inputs are damaged somewhere in their structure, half anywhere in their bytes. */
function damage(bytes: Uint8Array, random: Random): Uint8Array {
  return random(2) === 0 ? mutate(bytes, random) : mutateMessage(bytes, random)
}

function readAll(signal: Signal, bytes: Uint8Array): void {
  const { block, records } = decodeReceived(signal, bytes, receivedMs, settings)
  // The first and the last row stand for the others; each costs more than decoding all columns.
  for (const row of new Set([0, block.count - 1])) if (row >= 0) decodeRecord(block, records, row)
}

export function makeTargets(): readonly FuzzTarget[] {
  const corpus = makeCorpus()
  return [...signals.flatMap(signal => decoders(corpus, signal)), ...stored(corpus), ...asked()]
}

function decoders(corpus: Corpus, signal: Signal): readonly FuzzTarget[] {
  const encoder = new TextEncoder()
  return [
    {
      name: `protobuf_${signal}`,
      share: 6,
      run(random) {
        const bytes = damage(pick(corpus.requests[signal], random), random)
        readAll(signal, bytes)
        return bytes.length
      },
    },
    {
      name: `json_${signal}`,
      share: 2,
      run(random) {
        const text = pick(corpus.json[signal], random)
        const bytes =
          random(2) === 0 ? mutate(encoder.encode(text), random) : encoder.encode(mutateJson(text, random))
        readAll(signal, transcodeJson(signal, bytes))
        return bytes.length
      },
    },
  ]
}

function stored(corpus: Corpus): readonly FuzzTarget[] {
  return [
    {
      name: 'segment',
      share: 3,
      run(random) {
        const { parts } = pick(corpus.segments, random)
        const [name, part] = pick([...parts], random)
        const damaged = resealed(mutate(part, random), random)
        readSegment(new Map([...parts, [name, damaged]]))
        return damaged.length
      },
    },
    {
      name: 'rollup',
      share: 3,
      run(random) {
        const damaged = resealed(mutate(pick(corpus.rollups, random), random), random)
        const block = openBlock(damaged)
        for (const kind of kindShapes.keys()) block.section(kind)
        return damaged.length
      },
    },
    {
      name: 'inbox_row',
      share: 2,
      run(random) {
        const row = decodeRow(damagedRow(pick(corpus.rows, random), random))
        readAll(row.signal, inflateAgain(row.body, row.compression, row.rawBytes))
        return row.body.length
      },
    },
  ]
}

/** With a checksum that fits, three times of four, so that the decoders behind it are reached. */
function resealed(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes)
  if (copy.length < 4 || random(4) === 0) return copy
  const end = copy.length - 4
  new DataView(copy.buffer).setUint32(end, crc32c(copy, 0, end), true)
  return copy
}

function readSegment(parts: ReadonlyMap<string, Uint8Array>): void {
  for (const part of parts.values()) checkPart(part)
  const columns = readBlock(parts)
  if (parts.has('traces')) readTraces(parts)
  if (parts.has('terms')) {
    const terms = readTerms(parts)
    const blocks = terms instanceof TermIndex ? [terms] : termBlocks(terms, parts)
    if (terms instanceof TermDirectory) terms.check(blocks)
    for (const block of blocks) {
      block.check()
      block.framesOf(new TermMatcher('a'))
    }
  }
  readRecords(columns, readDictionary(parts), parts, null)
  readFirstTrace(columns.block, parts)
}

function readFirstTrace(block: Block, parts: ReadonlyMap<string, Uint8Array>): void {
  const layout = readLayout(parts)
  const [group] = layout.groups
  if (block.signal !== 'traces' || group === undefined || !canPickSpans(layout)) return
  const found = readTraceRows(layout, group, parts, block.traceId.slice(0, 16))
  if (found !== null) readRecords(found, readDictionary(parts), parts, null)
}

function termBlocks(terms: TermDirectory, parts: ReadonlyMap<string, Uint8Array>): readonly TermIndex[] {
  // Of a damaged number as many as there are.
  const stored = [...parts.keys()].filter(name => name.startsWith('terms.')).length
  return Array.from({ length: Math.min(terms.blocks, stored) }, (_, block) => readTermBlock(parts, block))
}

function damagedRow(row: StoredRow, random: Random): StoredRow {
  const odd: readonly unknown[] = [
    null,
    '',
    'x',
    -1,
    0,
    1,
    2,
    3,
    2 ** 40,
    Number.NaN,
    '{"reasons":[],"rows":[1]}',
    '[]',
  ]
  const changed: StoredRow = {
    ...row,
    body: random(2) === 0 ? damage(row.body, random) : row.body,
    ...(random(2) === 0 ? { [pick(Object.keys(row), random)]: pick(odd, random) } : {}),
  }
  // Written anew, half of the time, with a checksum that fits what it says.
  if (random(2) === 0 || !(changed.body instanceof Uint8Array)) return changed
  const { body, items } = changed
  return {
    ...encodeRow({
      position: 1,
      tenant: 'acme',
      signal: pick(signals, random),
      receivedMs,
      encoding: 'protobuf',
      compression: pick(['none', 'gzip', 'zstd'] as const, random),
      rawBytes: random(1 << 20),
      items,
      refusals: [],
      body,
    }),
  }
}

const queryPieces: readonly string[] = [
  'error',
  'AND',
  'OR',
  'NOT',
  '-',
  '(',
  ')',
  '"',
  '"a b"',
  'service:',
  'service:cart',
  'severity:error',
  'severity:',
  'trace_id:00ff00ff',
  'k=v',
  '=',
  ':',
  '*',
  '\\',
  'é',
  '\ud800',
  '%',
  'a'.repeat(300),
]

function asked(): readonly FuzzTarget[] {
  return [
    {
      name: 'search',
      share: 2,
      run(random) {
        const pieces = Array.from({ length: random(30) }, () => pick(queryPieces, random))
        const query = pieces.join(random(3) === 0 ? '' : ' ')
        for (const term of termsOf(parseLogQuery(query))) new TermMatcher(term).matches('connection')
        return query.length
      },
    },
    {
      name: 'mcp_arguments',
      share: 1,
      run(random) {
        const tool = pick(tools, random)
        const args = Object.fromEntries(
          Array.from({ length: random(5) }, () => [pick(argumentNames, random), oddArgument(random)]),
        )
        tool.prepare(random(20) === 0 ? oddArgument(random) : args)
        return Object.keys(args).length * 8
      },
    },
  ]
}

const argumentNames: readonly string[] = [
  ...new Set([
    'from',
    'to',
    'service',
    'max_tokens',
    'as_of',
    'cursor',
    'limit',
    'query',
    'tenant',
    '__proto__',
  ]),
  'trace_id',
  'metric',
  'group_by',
  'severity',
  'constructor',
  'unknown',
]

function oddArgument(random: Random): unknown {
  const odd: readonly unknown[] = [
    null,
    undefined,
    true,
    0,
    -1,
    1e300,
    Number.NaN,
    '',
    'now-1h',
    'yesterday',
    '2026-01-15T12:00:00Z',
    '9'.repeat(400),
    'x'.repeat(5_000),
    '\ud800',
    "'; DROP TABLE segment; --",
    [],
    ['cart', null],
    {},
    { toString: 'x' },
    () => 1,
    10n,
  ]
  return pick(odd, random)
}
