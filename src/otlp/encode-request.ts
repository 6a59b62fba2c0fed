/** Stored items back into export requests: the way out for `export`, and the proof that nothing was lost. */
import { type Block, type MetricBlock, type RecordTable, recordOf } from '../model/telemetry.ts'
import { requestShape } from './fields/message-shape.ts'
import { decodePlain } from './json/decode-plain.ts'
import { writeMetric } from './metrics/write-metric.ts'
import { ByteWriter } from './wire/byte-writer.ts'

/** Items of one block. */
export interface BlockRows {
  readonly block: Block
  readonly records: RecordTable
  /** All if not given. Rows whose record is not loaded must not be among them. */
  readonly rows?: readonly number[]
}

/** Rows by what they share, in order of first appearance. */
function grouped(rows: Iterable<number>, column: Uint32Array): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const row of rows) {
    const key = column[row] ?? 0
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}

const encoder = new TextEncoder()

/** Field numbers that the three signals share. */
const owner = 1
const members = 2
const schemaUrl = 3

/**
 * The uncompressed Export*ServiceRequest of these rows: items grouped by resource and scope, and points by
 * metric, each message byte for byte as it was stored.
 */
export function encodeRequest({ block, records, rows }: BlockRows): Uint8Array {
  const out = new ByteWriter(records.bytes.length + 64)
  for (const [resource, ofResource] of grouped(rows ?? allRows(block.count), block.resource)) {
    const entry = block.resources[resource]
    if (entry === undefined) throw new Error(`row without resource ${resource}`)
    const end = begin(out, owner)
    if (entry.bytes.length > 0) out.bytesField(owner, entry.bytes)
    for (const [scope, ofScope] of grouped(ofResource, block.scope))
      writeScope(out, block, records, scope, ofScope)
    if (entry.schemaUrl !== '') out.bytesField(schemaUrl, encoder.encode(entry.schemaUrl))
    end()
  }
  return out.copy()
}

function* allRows(count: number): Iterable<number> {
  for (let row = 0; row < count; row++) yield row
}

/** Starts a length-delimited field; the function it returns ends it. */
function begin(out: ByteWriter, field: number): () => void {
  out.varint32((field << 3) | 2)
  const start = out.beginLength(3)
  return () => out.endLength(start, 3)
}

function writeScope(
  out: ByteWriter,
  block: Block,
  records: RecordTable,
  scope: number,
  rows: readonly number[],
): void {
  const entry = block.scopes[scope]
  if (entry === undefined) throw new Error(`row without scope ${scope}`)
  const end = begin(out, members)
  if (entry.bytes.length > 0) out.bytesField(owner, entry.bytes)
  if (block.signal === 'metrics') writeMetrics(out, block, records, rows)
  else for (const row of rows) out.bytesField(members, recordOf(records, row))
  if (entry.schemaUrl !== '') out.bytesField(schemaUrl, encoder.encode(entry.schemaUrl))
  end()
}

function writeMetrics(
  out: ByteWriter,
  block: MetricBlock,
  records: RecordTable,
  rows: readonly number[],
): void {
  for (const [metric, points] of grouped(rows, block.metric)) {
    const entry = block.metrics[metric]
    if (entry === undefined) throw new Error(`row without metric ${metric}`)
    const end = begin(out, members)
    writeMetric(
      out,
      entry,
      points.map(row => recordOf(records, row)),
    )
    end()
  }
}

/** The same as one line of OTLP/JSON. */
export function requestJson(rows: BlockRows): string {
  return JSON.stringify(decodePlain(requestShape(rows.block.signal), encodeRequest(rows)))
}
