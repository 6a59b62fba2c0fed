/** ExportMetricsServiceRequest to columns, one row a data point. */
import { type Batch, itemFlags, type MetricBlock, type MetricEntry } from '../../model/telemetry.ts'
import { BatchNotes } from '../batch-notes.ts'
import type { DecodeContext } from '../decode-context.ts'
import { isFuture, type ReceiptTime, receiptTime } from '../index-time.ts'
import { RecordList } from '../record-list.ts'
import { checkItemCount, forEachMessage, RequestWalk } from '../request-walk.ts'
import type { Made } from '../resource-entry.ts'
import { isUsableId } from '../rewrite-record.ts'
import { scanAttribute } from '../wire/attribute-scan.ts'
import type { ByteTableLimits } from '../wire/byte-table.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { BatchList, TextInterner, ValueCache } from '../wire/interner.ts'
import { validateContent } from '../wire/validate-message.ts'
import {
  cursor,
  doubleAt,
  fixed32At,
  readLength,
  readTag,
  readVarint,
  signed64,
  skipValue,
  unsigned64,
} from '../wire/varint.ts'
import { MetricColumns } from './metric-columns.ts'
import { makeMetricEntry } from './metric-entry.ts'
import { MetricParts } from './metric-parts.ts'
import { type PointLayout, pointLayouts } from './point-layout.ts'
import { seriesTextAt } from './series-text.ts'

/** Depth of a data point: request, groups, metric, data, point. */
const pointDepth = 6

/** Tags of the exemplar fields that are looked into. */
const exemplarTags = { spanId: 0x22, traceId: 0x2a, filteredAttributes: 0x3a } as const

const startTag = 0x11
const timeTag = 0x19

/** Bit of `DataPointFlags` that says the point has no value. */
const noRecordedValue = 1

/** Series seen again and again are found by the bytes of their attributes: enough for a busy receiver. */
const seriesLimits: ByteTableLimits = { entries: 32_768, arenaBytes: 4_194_304 }

const metricLimits: ByteTableLimits = { entries: 4096, arenaBytes: 1_048_576 }

const series = new TextInterner({ limits: seriesLimits, make: seriesTextAt, ambiguous: true })
const walk = new RequestWalk()
const parts = new MetricParts()
const scattered = new ByteWriter()
let metricCacheLimit = -1
let metricCache = metricCacheFor(0)

function metricCacheFor(attributeMaxBytes: number): ValueCache<Made<MetricEntry>> {
  return new ValueCache(metricLimits, (bytes, from, to) =>
    makeMetricEntry(bytes.subarray(from, to), attributeMaxBytes),
  )
}

class PointDecoder {
  readonly #bytes: Uint8Array
  readonly #columns: MetricColumns
  readonly #records: RecordList
  readonly #receipt: ReceiptTime
  readonly #refused: Uint32Array | undefined
  readonly metrics = new BatchList<MetricEntry>()
  readonly notes = new BatchNotes()
  #nextRefused = 0
  #index = -1
  #badReference = false
  /** Where the attributes of the point at hand start and end, and whether other fields stand between them. */
  #attributesFrom = 0
  #attributesTo = 0
  #scattered = false
  row = 0

  constructor(bytes: Uint8Array, points: number, context: DecodeContext) {
    this.#bytes = bytes
    this.#columns = new MetricColumns(points)
    this.#records = new RecordList(bytes, points, context.attributeMaxBytes)
    this.#receipt = receiptTime(context)
    this.#refused = context.refused
  }

  /** One Metric message; without points it leaves nothing. */
  item(from: number, to: number, resource: number, scope: number): void {
    parts.read(this.#bytes, from, to)
    const { layout } = parts
    const head = parts.head.view()
    const made = metricCache.get(head, 0, head.length)
    if (layout === null) return
    if (made.truncated) this.notes.cutGroups++
    let metric = -1
    for (let i = 0; i < parts.dataRanges.length; i += 2) {
      forEachMessage(
        this.#bytes,
        parts.dataRanges[i] ?? 0,
        parts.dataRanges[i + 1] ?? 0,
        0x0a,
        (start, end) => {
          if (metric < 0) metric = this.metrics.numberOf(made.entry)
          this.#row(layout, start, end, metric, resource, scope)
        },
      )
    }
  }

  #row(layout: PointLayout, from: number, to: number, metric: number, resource: number, scope: number): void {
    this.#index++
    if (this.#refused !== undefined && this.#refused[this.#nextRefused] === this.#index) {
      this.#nextRefused++
      return
    }
    const row = this.row
    const columns = this.#columns
    this.#badReference = false
    this.#point(layout, from, to, row)
    columns.metric[row] = metric
    columns.resource[row] = resource
    columns.scope[row] = scope
    const outcome = this.#records.add(row, layout.shape, from, to, this.#badReference)
    if (this.#badReference) {
      columns.flags[row] = (columns.flags[row] ?? 0) | itemFlags.badReference
      this.notes.badReferences++
    }
    if (outcome.truncated) {
      columns.flags[row] = (columns.flags[row] ?? 0) | itemFlags.truncated
      this.notes.cutItems++
    }
    columns.series[row] = this.#series(layout, from, to, outcome.truncated)
    this.row++
  }

  #point(layout: PointLayout, from: number, to: number, row: number): void {
    const bytes = this.#bytes
    const columns = this.#columns
    let high = 0
    let low = 0
    let value = layout.missing
    let count = layout.count === 0 ? 1 : 0
    let flags = 0
    this.#attributesFrom = 0
    this.#attributesTo = 0
    this.#scattered = false
    for (let pos = from; pos < to; ) {
      const start = pos
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      if ((tag & 7) === 2) {
        if (tag === layout.attributes) {
          if (this.#attributesTo === 0) this.#attributesFrom = start
          else if (this.#attributesTo !== start) this.#scattered = true
          this.#attributesTo = pos
        } else this.#content(layout, tag, pos - readLength(bytes, content, to), pos)
        continue
      }
      if (tag === timeTag) {
        low = fixed32At(bytes, content)
        high = fixed32At(bytes, content + 4)
      } else if (tag === startTag) {
        columns.startLo[row] = fixed32At(bytes, content)
        columns.startHi[row] = fixed32At(bytes, content + 4)
      } else if (tag === layout.asDouble || tag === layout.sum) value = doubleAt(bytes, content)
      else if (tag === layout.asInt)
        value = signed64(fixed32At(bytes, content), fixed32At(bytes, content + 4))
      else if (tag === layout.count)
        count = unsigned64(fixed32At(bytes, content), fixed32At(bytes, content + 4))
      else if (tag === layout.flags) flags = readVarint(bytes, content, to)
    }
    columns.value[row] = value
    columns.pointCount[row] = (flags & noRecordedValue) === 0 ? count : 0
    this.#time(row, high, low)
  }

  /** Number of the text of the point's attributes; cut ones as they are stored. */
  #series(layout: PointLayout, from: number, to: number, truncated: boolean): number {
    if (!this.#scattered && !truncated) {
      return series.number(this.#bytes, this.#attributesFrom, this.#attributesTo)
    }
    // Attributes with other fields between them, which no known encoder writes, or values that had to be cut.
    let bytes = this.#bytes
    let range = { from, to }
    if (truncated) {
      bytes = this.#records.rewritten()
      range = { from: 0, to: bytes.length }
    }
    scattered.reset()
    forEachMessage(bytes, range.from, range.to, layout.attributes, (start, end) =>
      scattered.bytesField(layout.attributes >>> 3, bytes, start, end),
    )
    return series.number(scattered.view(), 0, scattered.length)
  }

  /** A length-delimited field other than an attribute. */
  #content(layout: PointLayout, tag: number, from: number, to: number): void {
    if (tag === layout.exemplars) {
      this.#exemplar(from, to)
      return
    }
    const field = layout.shape.byNumber[tag >>> 3]
    if (field !== undefined) validateContent(field, this.#bytes, from, to, pointDepth)
  }

  #exemplar(from: number, to: number): void {
    const bytes = this.#bytes
    for (let pos = from; pos < to; ) {
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      if ((tag & 7) !== 2) continue
      const length = readLength(bytes, content, to)
      const value = pos - length
      if (tag === exemplarTags.filteredAttributes) scanAttribute(bytes, value, pos, pointDepth + 2)
      const wanted = tag === exemplarTags.traceId ? 16 : tag === exemplarTags.spanId ? 8 : 0
      if (wanted !== 0 && length > 0 && !isUsableId(bytes, value, length, wanted)) this.#badReference = true
    }
  }

  #time(row: number, high: number, low: number): void {
    const receipt = this.#receipt
    let flags = 0
    if (high === 0 && low === 0) flags = itemFlags.noTime
    else if (isFuture(receipt, high, low)) {
      flags = itemFlags.future
      this.notes.future++
    }
    this.#columns.timeHi[row] = flags === 0 ? high : receipt.high
    this.#columns.timeLo[row] = flags === 0 ? low : receipt.low
    this.#columns.flags[row] = flags
  }

  finish(attributeMaxBytes: number): Batch<MetricBlock> {
    this.notes.cutGroups += walk.truncated
    return {
      block: this.#columns.finish(this.row, {
        strings: series.strings,
        resources: walk.resources,
        scopes: walk.scopes,
        metrics: this.metrics.values,
      }),
      records: this.#records.finish(this.row),
      refusals: this.notes.refusals,
      warnings: this.notes.warnings('data points', attributeMaxBytes),
    }
  }
}

/** Upper bound of the points of a request: those of every data message, counted or not by its oneof. */
function countPoints(bytes: Uint8Array): number {
  let points = 0
  const countIn = (from: number, to: number): void => {
    for (let pos = from; pos < to; ) {
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      if ((tag & 7) !== 2 || !pointLayouts.has(tag >>> 3)) continue
      const length = readLength(bytes, content, to)
      forEachMessage(bytes, pos - length, pos, 0x0a, () => {
        points++
      })
    }
  }
  forEachMessage(bytes, 0, bytes.length, 0x0a, (groupFrom, groupTo) =>
    forEachMessage(bytes, groupFrom, groupTo, 0x12, (scopeFrom, scopeTo) =>
      forEachMessage(bytes, scopeFrom, scopeTo, 0x12, countIn),
    ),
  )
  return checkItemCount(points)
}

/**
 * Decodes an uncompressed ExportMetricsServiceRequest of any of the five metric types. No point is refused; an
 * exemplar with a bad id is kept without it. The records share `bytes` unless one had to be rewritten.
 * Throws InvalidInputError `decode_error`, or `too_large` for more than `maxItemsPerRequest` points.
 */
export function decodeMetrics(bytes: Uint8Array, context: DecodeContext): Batch<MetricBlock> {
  series.begin()
  if (metricCacheLimit !== context.attributeMaxBytes) {
    metricCacheLimit = context.attributeMaxBytes
    metricCache = metricCacheFor(metricCacheLimit)
  }
  metricCache.trim()
  const decoder = new PointDecoder(bytes, countPoints(bytes), context)
  walk.walk(bytes, context.attributeMaxBytes, decoder)
  return decoder.finish(context.attributeMaxBytes)
}
