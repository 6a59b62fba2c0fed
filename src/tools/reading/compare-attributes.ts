/** Attribute values whose share among a service's requests moved between two windows. */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import { recordOf, type SpanBlock } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import { valueText } from '../../otlp/any-value.ts'
import { attributesOfResource, attributesOfSpan } from '../../otlp/attributes.ts'

/** Requests read on each side: shares are then known to about one in a hundred. */
const maxRequests = 4_000
/** A key with more values is an id, and its values cannot be compared. */
const maxValues = 200
const maxKeys = 500
const significance = 5
/** Keys of the semantic conventions that tell processes and connections apart: new with each of them. */
const identities = new Set([
  'client.port',
  'container.id',
  'net.peer.port',
  'net.sock.peer.port',
  'network.local.port',
  'network.peer.port',
  'process.creation.time',
  'process.parent_pid',
  'process.pid',
  'service.instance.id',
  'thread.id',
])
const leastShare = 0.05
const longestValue = 200

const server = 2
const consumer = 5

interface Counted {
  requests: number
  /** Key to value to requests. */
  readonly keys: Map<string, Map<string, number>>
}

export interface AttributeShift {
  readonly key: string
  readonly value: string
  readonly beforeShare: number
  readonly afterShare: number
  readonly strength: number
}

export interface AttributeComparison {
  /** Strongest first. */
  readonly shifts: readonly AttributeShift[]
  readonly before: number
  readonly after: number
}

function count(counted: Counted, key: string, value: string): void {
  const values = counted.keys.get(key)
  if (values === undefined) {
    if (counted.keys.size < maxKeys) counted.keys.set(key, new Map([[value, 1]]))
    return
  }
  if (values.size < maxValues || values.has(value)) values.set(value, (values.get(value) ?? 0) + 1)
}

/** Requests of one side of a comparison. */
export interface AttributeSide {
  readonly range: TimeRange
  /** Of any version if not given. */
  readonly version?: string
  /** Requests that it holds, from rollups; decides how densely they are read. */
  readonly expected: number
}

function isRequest(
  block: SpanBlock,
  row: number,
  service: string,
  { range, version }: AttributeSide,
): boolean {
  if (block.kind[row] !== server && block.kind[row] !== consumer) return false
  const resource = block.resources[block.resource[row] ?? 0]
  if (resource?.service !== service) return false
  if (version !== undefined && resource.version !== version) return false
  const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
  return startMs >= range.fromMs && startMs < range.toMs
}

/** Whether a trace is among the n-th part that is read; decided by its id, so the same however it is stored. */
function isChosen(block: SpanBlock, row: number, stride: number): boolean {
  const at = row * 16 + 12
  const ids = block.traceId
  const tail = ((ids[at] ?? 0) << 16) | ((ids[at + 1] ?? 0) << 8) | (ids[at + 2] ?? 0)
  return tail % stride === 0
}

/** Every n-th request of the window, so that all of it is seen whatever its size. */
async function countValues(
  reader: TelemetryReader,
  service: string,
  side: AttributeSide,
  deadline: Deadline,
): Promise<Counted> {
  const { range, expected } = side
  const counted: Counted = { requests: 0, keys: new Map() }
  const stride = Math.max(1, Math.ceil(expected / maxRequests))
  for await (const scanned of reader.scanSpans({ range, services: [service], order: 'oldest_first' })) {
    deadline.check()
    const rows: number[] = []
    for (let row = 0; row < scanned.block.count; row++)
      if (isChosen(scanned.block, row, stride) && isRequest(scanned.block, row, service, side)) rows.push(row)
    if (rows.length === 0) continue
    const records = await scanned.records(rows)
    for (const row of rows) {
      counted.requests++
      const resource = scanned.block.resources[scanned.block.resource[row] ?? 0]
      const attributes = [
        ...attributesOfSpan(recordOf(records, row)),
        ...attributesOfResource(resource?.bytes ?? new Uint8Array()),
      ]
      for (const { key, value } of attributes)
        if (!identities.has(key)) count(counted, key, valueText(value).slice(0, longestValue))
    }
    if (counted.requests >= maxRequests * 4) break
  }
  return counted
}

export async function compareAttributes(
  reader: TelemetryReader,
  service: string,
  sides: { readonly before: AttributeSide; readonly after: AttributeSide },
  deadline: Deadline,
): Promise<AttributeComparison> {
  const after = await countValues(reader, service, sides.after, deadline)
  const before = await countValues(reader, service, sides.before, deadline)
  const shifts: AttributeShift[] = []
  for (const key of new Set([...after.keys.keys(), ...before.keys.keys()])) {
    const now = after.keys.get(key) ?? new Map<string, number>()
    const then = before.keys.get(key) ?? new Map<string, number>()
    if (now.size >= maxValues || then.size >= maxValues) continue
    for (const value of new Set([...now.keys(), ...then.keys()])) {
      const hits = now.get(value) ?? 0
      const baseHits = then.get(value) ?? 0
      const pooled = (hits + baseHits + 1) / (after.requests + before.requests + 2)
      const error = Math.sqrt(pooled * (1 - pooled) * (1 / after.requests + 1 / before.requests))
      const afterShare = hits / after.requests
      const beforeShare = baseHits / before.requests
      const strength = Math.abs(afterShare - beforeShare) / error
      if (strength >= significance && Math.abs(afterShare - beforeShare) >= leastShare)
        shifts.push({ key, value, beforeShare, afterShare, strength })
    }
  }
  shifts.sort((a, b) => b.strength - a.strength || (`${a.key}=${a.value}` < `${b.key}=${b.value}` ? -1 : 1))
  return { shifts, before: before.requests, after: after.requests }
}
