/** Sealing: decoded batches of one tenant and signal become segments, the unit of storage. */
import { createHash } from 'node:crypto'
import type { SegmentHeader, SegmentRecord } from '../../model/store.ts'
import type { Batch, Block, LineMarks, RecordTable, Signal } from '../../model/telemetry.ts'
import { formatVersion, sealPart } from '../part.ts'
import { arrangeRows } from './arrange-rows.ts'
import { AttributeFilterBuilder } from './attribute-filter.ts'
import { rowsPerGroup, writeGroup, writeLayout } from './block-codec.ts'
import type { ByteWriter } from './bytes.ts'
import { writeCompressed } from './compression.ts'
import { timeRangeOf } from './entry-index.ts'
import { joinLogBlocks, joinMetricBlocks, joinSpanBlocks } from './join-blocks.ts'
import { partNames } from './part-names.ts'
import { pickLogs, pickPoints, pickSpans } from './pick-rows.ts'
import { JoinedRecords, PickedRecords } from './picked-records.ts'
import { encodeRecords, rowsPerFrame } from './record-frames.ts'
import { repeatedSpans } from './repeated-spans.ts'
import { rowsOf } from './row-range.ts'
import { Scratch } from './scratch.ts'
import type { ShapedRows } from './shaped-rows.ts'
import { TermIndexBuilder } from './term-index.ts'
import { writeTraceIndex } from './trace-index.ts'

/** Distinct services a header names; beyond it a segment is never skipped by service. */
const maxHeaderServices = 256

/** One accepted request of the inbox. All rows of `batch` were accepted. */
export interface SegmentEntry {
  readonly position: number
  /** Milliseconds. */
  readonly receivedMs: number
  readonly batch: Batch
  /** Logs: template number per row; null leaves what the block says. */
  readonly templates: Uint32Array | null
  /** Logs: saves cutting lines anew. The bytes are the same without. */
  readonly lines?: LineMarks | null
}

export interface SegmentInput {
  readonly tenant: string
  readonly signal: Signal
  readonly inboxId: string
  /** In order of position. Empty batches are fine. */
  readonly entries: readonly SegmentEntry[]
}

/**
 * Segments of at most `maxSegmentRows` items that together hold every row exactly once; none for no rows.
 * Ids follow from inbox, positions, tenant and signal, so sealing the same entries again gives the same ids.
 */
export function buildSegments(input: SegmentInput): readonly SegmentRecord[] {
  const { inboxId, tenant, signal, entries } = input
  const name = [inboxId, entries[0]?.position ?? 0, entries.at(-1)?.position ?? 0, tenant, signal]
  return encodeSources({ tenant, signal, inboxId, name }, entries.map(sourceOfEntry))
}

/** A stored segment with its rows, to be merged with others. */
export interface MergeInput {
  readonly header: SegmentHeader
  readonly block: Block
  readonly records: RecordTable
}

/**
 * Fewer segments with the same rows, repeated spans once, of one tenant, signal and inbox. Ids follow from the ids merged. Throws
 * TypeError for segments that do not belong together.
 */
export function mergeSegments(inputs: readonly MergeInput[]): readonly SegmentRecord[] {
  const first = inputs[0]?.header
  if (first === undefined) return []
  const { tenant, signal, inboxId } = first
  if (inputs.some(({ header }) => header.tenant !== tenant || header.inboxId !== inboxId))
    throw new TypeError('segments of two tenants or inboxes cannot be merged')
  const name = ['merged', ...inputs.map(({ header }) => header.id).sort()]
  const sources = inputs.map(({ header, block, records }) => ({ ...header, block, records, lines: null }))
  return encodeSources({ tenant, signal, inboxId, name }, sources, true)
}

interface Owner {
  readonly tenant: string
  readonly signal: Signal
  readonly inboxId: string
  /** What the ids are derived from; the ordinal of the segment is added. */
  readonly name: readonly (string | number)[]
}

interface Source {
  readonly fromPosition: number
  readonly toPosition: number
  readonly minReceivedMs: number
  readonly maxReceivedMs: number
  readonly block: Block
  readonly records: RecordTable
  readonly lines: LineMarks | null
}

function sourceOfEntry(entry: SegmentEntry): Source {
  const { position, receivedMs, batch } = entry
  return {
    fromPosition: position,
    toPosition: position,
    minReceivedMs: receivedMs,
    maxReceivedMs: receivedMs,
    block: withTemplates(batch.block, entry.templates),
    records: batch.records,
    lines: entry.lines ?? null,
  }
}

function withTemplates(block: Block, templates: Uint32Array | null): Block {
  if (block.signal !== 'logs' || templates === null) return block
  if (templates.length !== block.count)
    throw new TypeError(`${templates.length} template numbers for ${block.count} log records`)
  return { ...block, template: templates }
}

function encodeSources(owner: Owner, all: readonly Source[], once = false): readonly SegmentRecord[] {
  const sources = all.filter(source => source.block.count > 0)
  if (sources.some(source => source.block.signal !== owner.signal))
    throw new TypeError(`a batch for a segment of ${owner.signal} holds another signal`)
  if (sources.length === 0) return []
  scratch.reset()
  const joined = joinSources(owner.signal, sources)
  const { block, records, receivedMs } = joined
  const repeated = once && block.signal === 'traces' ? repeatedSpans(block, records) : null
  return arrangeRows(block, receivedMs)
    .map(rows => (repeated === null ? rows : rows.filter(row => repeated[row] === 0)))
    .filter(rows => rows.length > 0)
    .map((rows, ordinal) => encodeSegment(owner, joined, rows, ordinal))
}

/** Holds the columns of the segments at hand: building them is synchronous, and nothing of it is kept. */
const scratch = new Scratch()

/** All rows of all sources in one block. */
interface Joined {
  readonly sources: readonly Source[]
  readonly block: Block
  readonly records: JoinedRecords
  /** Per row: of its source. */
  readonly receivedMs: Float64Array
}

function joinSources(signal: Signal, sources: readonly Source[]): Joined {
  const block = joinBlocks(
    signal,
    sources.map(source => source.block),
  )
  const receivedMs = scratch.doubles(block.count)
  let at = 0
  for (const source of sources) {
    receivedMs.fill(source.maxReceivedMs, at, at + source.block.count)
    at += source.block.count
  }
  const records = new JoinedRecords(
    scratch,
    sources.map(source => source.records),
    sources.map(source => source.lines),
  )
  return { sources, block, records, receivedMs }
}

/** Signals were compared on entry, so the filters keep every block. */
function joinBlocks(signal: Signal, blocks: readonly Block[]): Block {
  if (signal === 'traces')
    return joinSpanBlocks(
      scratch,
      blocks.filter(block => block.signal === 'traces'),
    )
  if (signal === 'logs')
    return joinLogBlocks(
      scratch,
      blocks.filter(block => block.signal === 'logs'),
    )
  return joinMetricBlocks(
    scratch,
    blocks.filter(block => block.signal === 'metrics'),
  )
}

function pickRows(block: Block, rows: Uint32Array): Block {
  if (block.signal === 'traces') return pickSpans(scratch, block, rows)
  return block.signal === 'logs' ? pickLogs(scratch, block, rows) : pickPoints(scratch, block, rows)
}

function encodeSegment(owner: Owner, joined: Joined, rows: Uint32Array, ordinal: number): SegmentRecord {
  const block = pickRows(joined.block, rows)
  const picked = new PickedRecords(joined.records, rows)
  const attributes = block.signal === 'metrics' ? null : new AttributeFilterBuilder()
  const pack = (content: Uint8Array): Uint8Array => sealPart(out => writeCompressed(out, content))
  const records = encodeRecords(block, picked, { scratch, attributes, pack })
  const parts = new Map<string, Uint8Array>()
  const put = (name: string, write: (out: ByteWriter) => void): void => {
    parts.set(name, sealPart(write))
  }
  put(partNames.columns, out => writeLayout(out, block))
  const size = rowsPerGroup(block.signal)
  for (let group = 0; group * size < block.count; group++) {
    const from = group * size
    const to = Math.min(block.count, from + size)
    put(partNames.group(group), out =>
      writeGroup(out, rowsOf(block, from, to), records.held.subarray(from, to)),
    )
  }
  put(partNames.dictionary, out => writeCompressed(out, records.dictionary))
  if (attributes !== null) {
    for (const resource of block.resources) attributes.addResource(resource.bytes)
    put(partNames.attributes, out => attributes.writeListed(out))
    put(partNames.values, out => attributes.writeValues(out))
  }
  const { signal } = block
  if (signal !== 'metrics') put(partNames.traces, out => writeTraceIndex(out, block.traceId, signal))
  if (records.shaped !== null) {
    const { terms, blocks, prefixes } = termsOf(picked, records.shaped)
    put(partNames.terms, out => writeCompressed(out, terms))
    for (const [number, content] of blocks.entries())
      put(partNames.termBlock(number), out => writeCompressed(out, content))
    put(partNames.prefixes, out => prefixes.write(out))
  }
  for (let frame = 0; frame < records.frames.length; frame++)
    parts.set(partNames.frame(frame), records.frames[frame] as Uint8Array)
  return { header: headerOf(owner, usedSources(joined, rows), block, parts, ordinal), parts }
}

function usedSources(joined: Joined, rows: Uint32Array): readonly Source[] {
  const used = new Uint8Array(joined.sources.length)
  for (let row = 0; row < rows.length; row++) used[joined.records.table[rows[row] as number] as number] = 1
  return joined.sources.filter((_, source) => used[source] === 1)
}

/** Kept from segment to segment: what it needs is made once. */
const termIndex = new TermIndexBuilder()

function termsOf(picked: PickedRecords, shaped: ShapedRows): ReturnType<TermIndexBuilder['finish']> {
  const builder = termIndex
  builder.begin(shaped)
  const size = rowsPerFrame('logs')
  const rows = shaped.shape.length
  for (let row = 0; row < rows; row++) {
    picked.seek(row)
    builder.addRow(Math.floor(row / size), row, picked)
  }
  return builder.finish(Math.ceil(rows / size))
}

function headerOf(
  owner: Owner,
  used: readonly Source[],
  block: Block,
  parts: ReadonlyMap<string, Uint8Array>,
  ordinal: number,
): SegmentHeader {
  const times = timeRangeOf(block)
  const services = [...new Set(block.resources.map(resource => resource.service))].sort()
  let byteLength = 0
  for (const part of parts.values()) byteLength += part.length
  return {
    id: segmentId([...owner.name, ordinal]),
    tenant: owner.tenant,
    signal: owner.signal,
    formatVersion,
    inboxId: owner.inboxId,
    fromPosition: Math.min(...used.map(source => source.fromPosition)),
    toPosition: Math.max(...used.map(source => source.toPosition)),
    count: block.count,
    byteLength,
    ...times,
    minReceivedMs: Math.min(...used.map(source => source.minReceivedMs)),
    maxReceivedMs: Math.max(...used.map(source => source.maxReceivedMs)),
    services: services.length > maxHeaderServices ? null : services,
  }
}

/** 128 bits as hex; the parts of the name cannot run into each other because none but the tenant is free text. */
function segmentId(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
