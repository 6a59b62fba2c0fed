/** ExportMetricsServiceRequest to columns, one row a data point. */
import { type Batch, itemFlags, type MetricBlock } from '../../model/telemetry.ts'
import { BatchNotes } from '../batch-notes.ts'
import type { DecodeContext } from '../decode-context.ts'
import { isFuture, type ReceiptTime, receiptTime } from '../index-time.ts'
import { RecordList } from '../record-list.ts'
import { checkItemCount, forEachMessage, RequestWalk } from '../request-walk.ts'
import { isUsableId } from '../rewrite-record.ts'
import { scanAttribute } from '../wire/attribute-scan.ts'
import { viewOf } from '../wire/byte-view.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
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
import { type MetricColumns, manyPoints } from './metric-columns.ts'
import { type MetricHead, points } from './metric-heads.ts'
import { MetricMemory } from './metric-memory.ts'
import { MetricParts } from './metric-parts.ts'
import { noRecordedValue, PointDraft } from './point-draft.ts'
import { type PointLayout, pointLayouts } from './point-layout.ts'

/** Depth of a data point: request, groups, metric, data, point. */
const pointDepth = 6

/** Tags of the exemplar fields that are looked into. */
const exemplarTags = { spanId: 0x22, traceId: 0x2a, filteredAttributes: 0x3a } as const

const startTag = 0x11
const timeTag = 0x19

/** A guess that is rarely too high; places of records are two numbers each. */
const usualPointBytes = 64

const memory = new MetricMemory()
const walk = new RequestWalk()
const parts = new MetricParts()
const draft = new PointDraft()
const scattered = new ByteWriter()

class PointDecoder {
  readonly #bytes: Uint8Array
  readonly #columns: MetricColumns
  readonly #records: RecordList
  readonly #receipt: ReceiptTime
  readonly #refused: Uint32Array | undefined
  readonly #view: DataView
  readonly #attributeMaxBytes: number
  readonly notes = new BatchNotes()
  #nextRefused = 0
  #index = -1
  #badReference = false
  /** Where the attributes of the point at hand start and end, and whether other fields stand between them. */
  #attributesFrom = 0
  #attributesTo = 0
  #scattered = false
  /** Form of the point before, -1 if it has none. */
  #form = -1
  #resource = -1
  #scope = -1
  row = 0

  constructor(bytes: Uint8Array, context: DecodeContext) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#attributeMaxBytes = context.attributeMaxBytes
    this.#columns = memory.columns
    this.#records = new RecordList(
      bytes,
      Math.ceil(bytes.length / usualPointBytes),
      context.attributeMaxBytes,
    )
    this.#receipt = receiptTime(context)
    // Nothing to leave out: decoded as on receipt.
    this.#refused = context.refused?.length === 0 ? undefined : context.refused
  }

  /** One Metric message; without points it leaves nothing. */
  item(from: number, to: number, resource: number, scope: number): void {
    const bytes = this.#bytes
    if (resource !== this.#resource || scope !== this.#scope) this.#enter(resource, scope)
    const expected = memory.heads.expected(bytes, this.#view, from, to)
    if (expected !== null) {
      this.#points(expected)
      return
    }
    parts.read(bytes, from, to)
    const { layout } = parts
    const metric = memory.metricOf(parts.head.view())
    if (layout === null) return
    if (metric.truncated) this.notes.cutGroups++
    const head = memory.heads.of(metric, bytes, this.#view, from, to)
    if (head !== null) {
      this.#points(head)
      return
    }
    for (let i = 0; i < parts.dataRanges.length; i += 2) {
      forEachMessage(bytes, parts.dataRanges[i] ?? 0, parts.dataRanges[i + 1] ?? 0, 0x0a, (start, end) =>
        this.#row(layout, start, end, memory.numberOf(metric)),
      )
    }
  }

  #enter(resource: number, scope: number): void {
    this.#resource = resource
    this.#scope = scope
    const from = walk.resources[resource]
    const by = walk.scopes[scope]
    if (from !== undefined && by !== undefined) memory.heads.enter(from, by)
  }

  /** The points of a metric whose head is known. */
  #points(head: MetricHead): void {
    const bytes = this.#bytes
    const { to } = points
    let pos = points.from
    if (pos === to) return
    const metric = memory.numberOf(head.metric)
    while (pos < to) {
      // Lengths of one and two bytes, by what `points` promises.
      const first = bytes[pos + 1] ?? 0
      const start = pos + (first < 0x80 ? 2 : 3)
      pos = start + (first < 0x80 ? first : (first & 0x7f) | ((bytes[pos + 2] ?? 0) << 7))
      this.#pointOf(head, metric, start, pos)
    }
  }

  /** One point under a known head. */
  #pointOf(head: MetricHead, metric: number, from: number, to: number): void {
    const { forms } = memory
    const before = this.#form
    const guess = before < 0 ? head.form : forms.next(before)
    if (
      guess >= 0 &&
      this.#refused === undefined &&
      forms.matches(guess, head.number, this.#view, from, to)
    ) {
      this.#form = guess
      this.#known(guess, head.layout, metric, from, to)
      return
    }
    const form =
      head.form < 0 || this.#refused !== undefined
        ? -1
        : forms.find(head.form, head.number, this.#view, from, to)
    if (form >= 0) this.#known(form, head.layout, metric, from, to)
    this.#form =
      form >= 0 ? form : this.#row(head.layout, from, to, metric) ? this.#learn(head, from, to) : -1
    if (this.#form < 0) return
    head.form = this.#form
    if (before >= 0) forms.follow(before, this.#form)
  }

  /** A point that differs from one seen before in nothing but its values. */
  #known(form: number, layout: PointLayout, metric: number, from: number, to: number): void {
    const { forms } = memory
    const bytes = this.#bytes
    const columns = this.#columns
    const row = this.#nextRow()
    this.row++
    this.#index++
    columns.metric[row] = metric
    columns.resource[row] = this.#resource
    columns.scope[row] = this.#scope
    columns.series[row] = forms.textOf(form) < 0 ? 0 : memory.series.numberOfEntry(forms.textOf(form))
    this.#records.keep(row, from, to)
    const start = forms.startOf(form)
    columns.startLo[row] = start < 0 ? 0 : fixed32At(bytes, from + start)
    columns.startHi[row] = start < 0 ? 0 : fixed32At(bytes, from + start + 4)
    const value = forms.valueOf(form)
    if (value < 0) columns.value[row] = layout.missing
    else if (forms.valueIsInteger(form))
      columns.value[row] = signed64(fixed32At(bytes, from + value), fixed32At(bytes, from + value + 4))
    else columns.value[row] = this.#view.getFloat64(from + value, true)
    columns.pointCount[row] = forms.withoutValue(form) ? 0 : this.#count(layout, forms.countOf(form), from)
    const time = forms.timeOf(form)
    if (time < 0) this.#time(row, 0, 0)
    else this.#time(row, fixed32At(bytes, from + time + 4), fixed32At(bytes, from + time))
  }

  #count(layout: PointLayout, at: number, from: number): number {
    if (at >= 0) return unsigned64(fixed32At(this.#bytes, from + at), fixed32At(this.#bytes, from + at + 4))
    return layout.count === 0 ? 1 : 0
  }

  /** The row that comes next, with room for it. */
  #nextRow(): number {
    const { row } = this
    if (row >= this.#columns.capacity) {
      // As a whole before it takes much room.
      if (row === manyPoints) checkItemCount(countPoints(this.#bytes))
      this.#columns.grow()
    }
    if (row >= this.#records.capacity) this.#records.grow()
    return row
  }

  /** Remembers the point that was decoded last; returns its form, -1 if it has none. */
  #learn(head: MetricHead, from: number, to: number): number {
    if (to - from > this.#attributeMaxBytes || !draft.read(head.layout, this.#bytes, from, to)) return -1
    const text = draft.attributesTo === 0 ? -1 : memory.series.entry
    if (draft.attributesTo !== 0 && text < 0) return -1
    return memory.forms.add(draft, head.number, text, this.#view, from, to)
  }

  /** Decodes one point whatever it looks like; false if it is left out. */
  #row(layout: PointLayout, from: number, to: number, metric: number): boolean {
    this.#index++
    if (this.#refused !== undefined && this.#refused[this.#nextRefused] === this.#index) {
      this.#nextRefused++
      return false
    }
    const row = this.#nextRow()
    const columns = this.#columns
    this.#badReference = false
    this.#point(layout, from, to, row)
    columns.metric[row] = metric
    columns.resource[row] = this.#resource
    columns.scope[row] = this.#scope
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
    return !outcome.truncated && !this.#badReference
  }

  #point(layout: PointLayout, from: number, to: number, row: number): void {
    const bytes = this.#bytes
    const columns = this.#columns
    let high = 0
    let low = 0
    let value = layout.missing
    let count = layout.count === 0 ? 1 : 0
    let flags = 0
    columns.startLo[row] = 0
    columns.startHi[row] = 0
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
      return memory.series.number(this.#bytes, this.#attributesFrom, this.#attributesTo)
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
    return memory.series.number(scattered.view(), 0, scattered.length)
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
    this.#records.fit(this.row)
    return {
      block: this.#columns.finish(this.row, {
        strings: memory.series.strings,
        resources: walk.resources,
        scopes: walk.scopes,
        metrics: memory.entries,
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
  return points
}

/**
 * Decodes an uncompressed ExportMetricsServiceRequest of any of the five metric types. No point is refused; an
 * exemplar with a bad id is kept without it. The records share `bytes` unless one had to be rewritten.
 * Throws InvalidInputError `decode_error`, or `too_large` for more than `maxItemsPerRequest` points.
 */
export function decodeMetrics(bytes: Uint8Array, context: DecodeContext): Batch<MetricBlock> {
  memory.begin(context.attributeMaxBytes)
  const decoder = new PointDecoder(bytes, context)
  walk.walk(bytes, context.attributeMaxBytes, decoder)
  return decoder.finish(context.attributeMaxBytes)
}
