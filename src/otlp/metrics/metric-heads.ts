/**
 * Metric messages that have been seen before but for their points: what stands before and behind the points, under one
 * resource and scope.
 */
import type { MetricEntry, ResourceEntry, ScopeEntry } from '../../model/telemetry.ts'
import type { Made } from '../resource-entry.ts'
import { cursor, readLength, readTag, skipValue } from '../wire/varint.ts'
import { type PointLayout, pointLayouts } from './point-layout.ts'

/** Metrics of all resources and scopes together; some 300 bytes each. */
const maxHeads = 16_384

/** A metric that repeats, and its number in the batch at hand. */
export interface KnownMetric extends Made<MetricEntry> {
  batch: number
  number: number
}

export interface MetricHead {
  /** Tells it from all others. */
  readonly number: number
  readonly metric: KnownMetric
  readonly layout: PointLayout
  /** Up to the tag of its data. */
  readonly before: DataView
  /** Fields of its data before the first point and behind the last one. */
  readonly lead: DataView
  readonly behind: DataView
  /** The head that came next, the last time. */
  next: MetricHead | null
  /** Form of one of its points, -1 if none is known. */
  form: number
}

/** One resource and scope. */
interface Group {
  readonly heads: Map<KnownMetric, MetricHead>
  first: MetricHead | null
}

export class MetricHeads {
  #groups = new Map<ResourceEntry, Map<ScopeEntry, Group>>()
  #group: Group | null = null
  #last: MetricHead | null = null
  #count = 0

  get crowded(): boolean {
    return this.#count > maxHeads
  }

  clear(): void {
    this.#groups = new Map()
    this.#group = null
    this.#last = null
    this.#count = 0
  }

  /** From here on metrics of this resource and scope are asked for. */
  enter(resource: ResourceEntry, scope: ScopeEntry): void {
    const scopes = this.#groups.get(resource) ?? new Map<ScopeEntry, Group>()
    this.#groups.set(resource, scopes)
    const group = scopes.get(scope) ?? { heads: new Map<KnownMetric, MetricHead>(), first: null }
    if (!scopes.has(scope)) this.#count++
    scopes.set(scope, group)
    this.#group = group
    this.#last = null
  }

  /**
   * The head that is expected now, if the Metric `bytes[from, to)` has it; `points` says then where its points lie, one
   * after the other and nothing else.
   */
  expected(bytes: Uint8Array, view: DataView, from: number, to: number): MetricHead | null {
    const head = (this.#last === null ? this.#group?.first : this.#last.next) ?? null
    if (head === null || !isUnder(head, bytes, view, from, to)) return null
    this.#last = head
    return head
  }

  /** The head of a metric that was not expected, made if it is new; null if its data is not the last and only one. */
  of(metric: KnownMetric, bytes: Uint8Array, view: DataView, from: number, to: number): MetricHead | null {
    const group = this.#group
    if (group === null || metric.truncated) return null
    const head = group.heads.get(metric) ?? makeHead(this.#count, metric, bytes, from, to)
    if (head === null || !isUnder(head, bytes, view, from, to)) return null
    if (!group.heads.has(metric)) {
      group.heads.set(metric, head)
      this.#count++
    }
    if (this.#last === null) group.first = head
    else this.#last.next = head
    this.#last = head
    return head
  }
}

/** Where the points of the head found last lie; shared like `cursor`. */
export const points: { from: number; to: number } = { from: 0, to: 0 }

function makeHead(
  number: number,
  metric: KnownMetric,
  bytes: Uint8Array,
  from: number,
  to: number,
): MetricHead | null {
  for (let pos = from; pos < to; ) {
    const start = pos
    const tag = readTag(bytes, pos, to)
    const content = cursor.next
    pos = skipValue(bytes, content, to, tag & 7)
    const layout = (tag & 7) === 2 ? pointLayouts.get(tag >>> 3) : undefined
    if (layout === undefined) continue
    if (pos !== to || content - start !== 1) return null
    const data = pos - readLength(bytes, content, to)
    const first = skipFields(bytes, data, to, false)
    const behind = skipFields(bytes, first, to, true)
    // Points that stand apart are left to the parser.
    if (skipFields(bytes, behind, to, false) !== to) return null
    return {
      number,
      metric,
      layout,
      before: copyOf(bytes, from, content),
      lead: copyOf(bytes, data, first),
      behind: copyOf(bytes, behind, to),
      next: null,
      form: -1,
    }
  }
  return null
}

/** The end of the fields from `from` on that are points, or of those that are none. */
function skipFields(bytes: Uint8Array, from: number, to: number, arePoints: boolean): number {
  let pos = from
  while (pos < to) {
    const tag = readTag(bytes, pos, to)
    if ((tag === 0x0a) !== arePoints) return pos
    pos = skipValue(bytes, cursor.next, to, tag & 7)
  }
  return pos
}

function copyOf(bytes: Uint8Array, from: number, to: number): DataView {
  // Not `slice`, which is no copy where the bytes are a Buffer.
  return new DataView(new Uint8Array(bytes.subarray(from, to)).buffer)
}

function isUnder(head: MetricHead, bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
  const { before, lead, behind } = head
  const length = from + before.byteLength
  if (length >= to || !sameBytes(before, view, from)) return false
  // Of at most three bytes: longer data is parsed.
  let data = length
  let size = 0
  for (let shift = 0; ; shift += 7) {
    if (shift > 14 || data >= to) return false
    const byte = bytes[data++] ?? 0
    size |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  const start = data + lead.byteLength
  const end = to - behind.byteLength
  if (data + size !== to || end < start || !sameBytes(lead, view, data) || !sameBytes(behind, view, end))
    return false
  for (let pos = start; pos !== end; ) {
    // A point's length of one or two bytes.
    const first = bytes[pos + 1] ?? 0
    const second = bytes[pos + 2] ?? 0
    if (bytes[pos] !== 0x0a || (first >= 0x80 && second >= 0x80)) return false
    pos += first < 0x80 ? 2 + first : 3 + ((first & 0x7f) | (second << 7))
    if (pos > end) return false
  }
  points.from = start
  points.to = end
  return true
}

function sameBytes(expected: DataView, view: DataView, from: number): boolean {
  const { byteLength } = expected
  let at = 0
  for (; at + 4 <= byteLength; at += 4) {
    if (expected.getInt32(at, true) !== view.getInt32(from + at, true)) return false
  }
  for (; at < byteLength; at++) if (expected.getUint8(at) !== view.getUint8(from + at)) return false
  return true
}
