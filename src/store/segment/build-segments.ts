/** Sealing: decoded batches of one tenant and signal become segments, the unit of storage. */
import { createHash } from 'node:crypto'
import type { SegmentHeader, SegmentRecord } from '../../model/store.ts'
import type { Batch, Block, LogBlock, MetricBlock, Signal, SpanBlock } from '../../model/telemetry.ts'
import { toMs } from '../../model/time.ts'
import { formatVersion, sealPart } from '../part.ts'
import { arrangeRows } from './arrange-rows.ts'
import { writeColumns } from './block-codec.ts'
import { writeCompressed } from './compression.ts'
import { mergeLogBlocks, mergeMetricBlocks, mergeSpanBlocks, type Picks } from './merge-blocks.ts'
import { partNames } from './part-names.ts'
import { encodeRecords, type RecordSource, rowsPerFrame } from './record-frames.ts'
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
  const sources = input.entries.filter(entry => entry.batch.block.count > 0).map(withTemplates)
  if (sources.some(source => source.block.signal !== input.signal))
    throw new TypeError(`a batch for a segment of ${input.signal} holds another signal`)
  return arrangeRows(sources).map((arranged, ordinal) =>
    encodeSegment(input, sources, arranged.picks, ordinal),
  )
}

interface Source {
  readonly position: number
  readonly receivedMs: number
  readonly block: Block
  readonly batch: Batch
}

function withTemplates(entry: SegmentEntry): Source {
  const { position, receivedMs, batch, templates } = entry
  const { block } = batch
  if (block.signal !== 'logs' || templates === null) return { position, receivedMs, batch, block }
  if (templates.length !== block.count)
    throw new TypeError(`${templates.length} template numbers for ${block.count} log records`)
  return { position, receivedMs, batch, block: { ...block, template: templates } }
}

function encodeSegment(
  input: SegmentInput,
  sources: readonly Source[],
  picks: Picks,
  ordinal: number,
): SegmentRecord {
  const block = mergeRows(input.signal, sources, picks)
  const sourceOf = (row: number): RecordSource => {
    const { records } = (sources[picks.source[row] as number] as Source).batch
    const from = records.offset[picks.row[row] as number] as number
    return { bytes: records.bytes, from, to: from + (records.length[picks.row[row] as number] as number) }
  }
  const records = encodeRecords(block, sourceOf)
  const parts = new Map<string, Uint8Array>()
  parts.set(
    partNames.columns,
    sealPart(out => writeColumns(out, block, records.held), block.count * 24 + 1024),
  )
  parts.set(
    partNames.dictionary,
    sealPart(out => writeCompressed(out, records.dictionary)),
  )
  if (block.signal !== 'metrics')
    parts.set(
      partNames.traces,
      sealPart(out => out.raw(writeTraceIndex(block.traceId))),
    )
  if (block.signal === 'logs')
    parts.set(
      partNames.terms,
      sealPart(out => writeCompressed(out, termsOf(block, sourceOf))),
    )
  for (let frame = 0; frame < records.frames.length; frame++)
    parts.set(
      partNames.frame(frame),
      sealPart(out => writeCompressed(out, records.frames[frame] as Uint8Array)),
    )
  return { header: headerOf(input, sources, picks, block, parts, ordinal), parts }
}

function mergeRows(signal: Signal, sources: readonly Source[], picks: Picks): Block {
  const blocks = sources.map(source => source.block)
  // Signals were compared on entry, so the filters below keep every block and every index.
  if (signal === 'traces')
    return mergeSpanBlocks(
      blocks.filter((block): block is SpanBlock => block.signal === 'traces'),
      picks,
    )
  if (signal === 'logs')
    return mergeLogBlocks(
      blocks.filter((block): block is LogBlock => block.signal === 'logs'),
      picks,
    )
  return mergeMetricBlocks(
    blocks.filter((block): block is MetricBlock => block.signal === 'metrics'),
    picks,
  )
}

function termsOf(block: LogBlock, sourceOf: (row: number) => RecordSource): Uint8Array {
  const builder = new TermIndexBuilder()
  for (let row = 0; row < block.count; row++) {
    const { bytes, from, to } = sourceOf(row)
    builder.addRecord(Math.floor(row / rowsPerFrame), bytes.subarray(from, to))
  }
  return builder.finish(Math.ceil(block.count / rowsPerFrame))
}

function headerOf(
  input: SegmentInput,
  sources: readonly Source[],
  picks: Picks,
  block: Block,
  parts: ReadonlyMap<string, Uint8Array>,
  ordinal: number,
): SegmentHeader {
  const times = timeRange(block)
  const used = [...new Set(picks.source)].map(index => sources[index] as Source)
  const services = [...new Set(block.resources.map(resource => resource.service))].sort()
  const fromPosition = Math.min(...used.map(source => source.position))
  const toPosition = Math.max(...used.map(source => source.position))
  const first = input.entries[0]?.position ?? fromPosition
  const last = input.entries.at(-1)?.position ?? toPosition
  let byteLength = 0
  for (const part of parts.values()) byteLength += part.length
  return {
    id: segmentId([input.inboxId, first, last, input.tenant, input.signal, ordinal]),
    tenant: input.tenant,
    signal: input.signal,
    formatVersion,
    inboxId: input.inboxId,
    fromPosition,
    toPosition,
    count: block.count,
    byteLength,
    ...times,
    minReceivedMs: Math.min(...used.map(source => source.receivedMs)),
    maxReceivedMs: Math.max(...used.map(source => source.receivedMs)),
    services: services.length > maxHeaderServices ? null : services,
  }
}

/** 128 bits as hex; the parts of the name cannot run into each other because none but the tenant is free text. */
export function segmentId(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

function timeRange(block: Block): { readonly minTimeMs: number; readonly maxTimeMs: number } {
  const high = block.signal === 'traces' ? block.startHi : block.timeHi
  const low = block.signal === 'traces' ? block.startLo : block.timeLo
  let minTimeMs = Number.POSITIVE_INFINITY
  let maxTimeMs = Number.NEGATIVE_INFINITY
  for (let row = 0; row < block.count; row++) {
    const time = toMs(high[row] as number, low[row] as number)
    if (time < minTimeMs) minTimeMs = time
    if (time > maxTimeMs) maxTimeMs = time
  }
  return { minTimeMs, maxTimeMs }
}
