/** ExportTraceServiceRequest to columns, in one pass over each span. */
import { type Batch, itemFlags, type SpanBlock } from '../../model/telemetry.ts'
import { toNs } from '../../model/time.ts'
import { BatchNotes } from '../batch-notes.ts'
import type { DecodeContext } from '../decode-context.ts'
import { type MessageShape, shapeOf } from '../fields/message-shape.ts'
import { spanMessage } from '../fields/trace-fields.ts'
import { isFuture, type ReceiptTime, receiptTime } from '../index-time.ts'
import { RecordList } from '../record-list.ts'
import { countItems, RequestWalk } from '../request-walk.ts'
import { isUsableId } from '../rewrite-record.ts'
import { scanAttribute } from '../wire/attribute-scan.ts'
import { viewOf } from '../wire/byte-view.ts'
import { TextInterner } from '../wire/interner.ts'
import { cursor, readLength, readTag, readVarint, skipValue } from '../wire/varint.ts'
import { HotAttributes } from './hot-attributes.ts'
import { SpanColumns } from './span-columns.ts'

const spanShape: MessageShape = shapeOf(spanMessage)

/** Depth of an attribute of an event or link: request, groups, span, event. */
const nestedAttributeDepth = 6

/** Tags of the fields that become columns or must be looked into. */
const spanTags = {
  traceId: 0x0a,
  spanId: 0x12,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  start: 0x39,
  end: 0x41,
  attributes: 0x4a,
  events: 0x5a,
  links: 0x6a,
  status: 0x7a,
} as const

const exceptionName = new TextEncoder().encode('exception')

/** Kept from batch to batch; decoding is synchronous, so one set serves a thread. */
const texts = new TextInterner()
const walk = new RequestWalk()
const hot = new HotAttributes()

class SpanDecoder {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #columns: SpanColumns
  readonly #records: RecordList
  readonly #receipt: ReceiptTime
  readonly #refused: Uint32Array | undefined
  #nextRefused = 0
  #index = -1
  #badReference = false
  row = 0
  readonly notes = new BatchNotes()

  constructor(bytes: Uint8Array, items: number, context: DecodeContext) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#columns = new SpanColumns(items)
    this.#records = new RecordList(bytes, items, context.attributeMaxBytes)
    this.#receipt = receiptTime(context)
    this.#refused = context.refused
  }

  item(from: number, to: number, resource: number, scope: number): void {
    this.#index++
    if (this.#refused !== undefined && this.#refused[this.#nextRefused] === this.#index) {
      this.#nextRefused++
      return
    }
    const columns = this.#columns
    const row = this.row
    if (!this.#span(from, to, row)) return
    columns.resource[row] = resource
    columns.scope[row] = scope
    const outcome = this.#records.add(row, spanShape, from, to, this.#badReference)
    if (this.#badReference) {
      columns.flags[row] = (columns.flags[row] ?? 0) | itemFlags.badReference
      this.notes.badReferences++
    }
    if (outcome.truncated) {
      columns.flags[row] = (columns.flags[row] ?? 0) | itemFlags.truncated
      this.notes.cutItems++
    }
    this.row++
  }

  /** Fills a row; false if the span is refused. */
  #span(from: number, to: number, row: number): boolean {
    const bytes = this.#bytes
    const view = this.#view
    const columns = this.#columns
    let traceAt = 0
    let traceLength = 0
    let spanAt = 0
    let spanLength = 0
    let parentAt = 0
    let parentLength = 0
    let nameFrom = 0
    let nameTo = 0
    let kind = 0
    let status = 0
    let startHi = 0
    let startLo = 0
    let endHi = 0
    let endLo = 0
    let links = 0
    this.#badReference = false
    hot.clear()
    let pos = from
    while (pos < to) {
      let tag = bytes[pos] ?? 0
      let content = pos + 1
      if (tag >= 0x80 || tag < 8) {
        const second = bytes[content] ?? 0
        if (tag >= 0x80 && second > 0 && second < 0x80 && content < to) {
          tag = (tag & 0x7f) | (second << 7)
          content++
        } else {
          tag = readTag(bytes, pos, to)
          content = cursor.next
        }
      }
      if ((tag & 7) !== 2) {
        // Times, flags and a kind of one byte are stepped over here, all else by `skipValue`.
        if ((tag & 7) === 1 && content + 8 <= to) pos = content + 8
        else if ((tag & 7) === 5 && content + 4 <= to) pos = content + 4
        else if ((tag & 7) === 0 && content < to && (bytes[content] ?? 0) < 0x80) pos = content + 1
        else pos = skipValue(bytes, content, to, tag & 7)
        switch (tag) {
          case spanTags.kind:
            kind = pos === content + 1 ? (bytes[content] ?? 0) : readVarint(bytes, content, to)
            break
          case spanTags.start:
            startLo = view.getUint32(content, true)
            startHi = view.getUint32(content + 4, true)
            break
          case spanTags.end:
            endLo = view.getUint32(content, true)
            endHi = view.getUint32(content + 4, true)
            break
          default:
        }
        continue
      }
      let length = bytes[content] ?? 0
      let value = content + 1
      if (length >= 0x80 || value + length > to) {
        length = readLength(bytes, content, to)
        value = cursor.next
      }
      pos = value + length
      switch (tag) {
        case spanTags.attributes:
          hot.scan(bytes, view, value, pos)
          break
        case spanTags.traceId:
          traceAt = value
          traceLength = length
          break
        case spanTags.spanId:
          spanAt = value
          spanLength = length
          break
        case spanTags.parentSpanId:
          parentAt = value
          parentLength = length
          break
        case spanTags.name:
          nameFrom = value
          nameTo = pos
          break
        case spanTags.events:
          this.#event(value, pos)
          break
        case spanTags.links:
          links++
          this.#link(value, pos)
          break
        case spanTags.status:
          status = this.#status(value, pos, status)
          break
        default:
      }
    }
    if (this.#refused === undefined) {
      const refusal = this.#judge(traceAt, traceLength, spanAt, spanLength, parentLength)
      if (refusal !== '') {
        this.notes.refuse(this.#index, refusal)
        return false
      }
    }
    if (traceLength === 16) columns.setTraceId(row, view, traceAt)
    if (spanLength === 8) columns.setSpanId(row, view, spanAt)
    if (parentLength === 8) columns.setParentSpanId(row, view, parentAt)
    columns.name[row] = texts.number(bytes, nameFrom, nameTo, view)
    columns.kind[row] = kind > 5 ? 0 : kind
    columns.status[row] = status
    columns.httpStatus[row] = hot.httpStatus(bytes)
    columns.errorType[row] = hot.errorType(bytes, texts)
    const peer = hot.peer(bytes, texts, kind)
    columns.peer[row] = peer >>> 3
    columns.peerKind[row] = peer & 7
    columns.links[row] = links > 255 ? 255 : links
    this.#times(row, startHi, startLo, endHi, endLo)
    return true
  }

  /** Why the span cannot be stored, or empty. */
  #judge(traceAt: number, traceLength: number, spanAt: number, spanLength: number, parent: number): string {
    if (!isUsableId(this.#bytes, traceAt, traceLength, 16)) {
      return idRefusal('trace id', traceLength, 16)
    }
    if (!isUsableId(this.#bytes, spanAt, spanLength, 8)) return idRefusal('span id', spanLength, 8)
    if (parent !== 0 && parent !== 8) {
      return `parent span id has ${parent} bytes; send 8 bytes, or none for a root span`
    }
    return ''
  }

  #times(row: number, startHi: number, startLo: number, endHi: number, endLo: number): void {
    const columns = this.#columns
    const receipt = this.#receipt
    let high = startHi
    let low = startLo
    let lastHigh = endHi
    let lastLow = endLo
    let flags = 0
    if (high === 0 && low === 0) {
      flags |= itemFlags.noTime
      high = lastHigh = receipt.high
      low = lastLow = receipt.low
    } else if (lastHigh < high || (lastHigh === high && lastLow < low)) {
      flags |= itemFlags.endBeforeStart
      lastHigh = high
      lastLow = low
    }
    if (isFuture(receipt, high, low)) {
      flags |= itemFlags.future
      this.notes.future++
      const end = toNs(receipt.high, receipt.low) + toNs(lastHigh, lastLow) - toNs(high, low)
      high = receipt.high
      low = receipt.low
      lastHigh = Number(BigInt.asUintN(32, end >> 32n))
      lastLow = Number(BigInt.asUintN(32, end))
    }
    columns.startHi[row] = high
    columns.startLo[row] = low
    columns.endHi[row] = lastHigh
    columns.endLo[row] = lastLow
    columns.flags[row] = flags
  }

  #event(from: number, to: number): void {
    const bytes = this.#bytes
    let exception = false
    for (let pass = 0; pass < 2; pass++) {
      for (let pos = from; pos < to; ) {
        const tag = readTag(bytes, pos, to)
        const content = cursor.next
        pos = skipValue(bytes, content, to, tag & 7)
        if (tag === 0x12 && pass === 0) exception = isException(bytes, content, pos)
        if (tag !== 0x1a) continue
        scanAttribute(bytes, pos - readLength(bytes, content, to), pos, nestedAttributeDepth)
        if (pass === 1) hot.noteException(this.#view)
      }
      // The name may stand behind the attributes, so they are looked at when it is known.
      if (!exception) return
    }
  }

  #link(from: number, to: number): void {
    const bytes = this.#bytes
    for (let pos = from; pos < to; ) {
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      if (tag !== 0x0a && tag !== 0x12 && tag !== 0x22) continue
      const length = readLength(bytes, content, to)
      const value = pos - length
      if (tag === 0x22) scanAttribute(bytes, value, pos, nestedAttributeDepth)
      else if (length > 0 && !isUsableId(bytes, value, length, tag === 0x0a ? 16 : 8))
        this.#badReference = true
    }
  }

  #status(from: number, to: number, before: number): number {
    const bytes = this.#bytes
    let code = before
    for (let pos = from; pos < to; ) {
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      if (tag === 0x18) code = readVarint(bytes, content, to)
    }
    return code > 2 ? 0 : code
  }

  finish(attributeMaxBytes: number): Batch<SpanBlock> {
    this.notes.cutGroups = walk.truncated
    return {
      block: this.#columns.finish(this.row, texts.strings, walk.resources, walk.scopes),
      records: this.#records.finish(this.row),
      refusals: this.notes.refusals,
      warnings: this.notes.warnings('spans', attributeMaxBytes),
    }
  }
}

function isException(bytes: Uint8Array, content: number, to: number): boolean {
  if (to - content !== exceptionName.length + 1) return false
  for (let i = 0; i < exceptionName.length; i++) if (bytes[content + 1 + i] !== exceptionName[i]) return false
  return true
}

function idRefusal(what: string, length: number, wanted: number): string {
  if (length === wanted) return `${what} is all zero; send a random one of ${wanted} bytes`
  return `${what} has ${length} bytes; send ${wanted} bytes (in JSON ${wanted * 2} hexadecimal digits)`
}

/**
 * Decodes an uncompressed ExportTraceServiceRequest. Spans whose ids cannot be right are refused alone; a link
 * with a bad id is kept without it. The records share `bytes` unless one of them had to be rewritten.
 * Throws InvalidInputError `decode_error`, or `too_large` for more than `maxItemsPerRequest` spans.
 */
export function decodeTraces(bytes: Uint8Array, context: DecodeContext): Batch<SpanBlock> {
  texts.begin()
  const decoder = new SpanDecoder(bytes, countItems(bytes), context)
  walk.walk(bytes, context.attributeMaxBytes, decoder)
  return decoder.finish(context.attributeMaxBytes)
}
