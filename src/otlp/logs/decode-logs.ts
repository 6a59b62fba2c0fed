/** ExportLogsServiceRequest to columns, in one pass over each log record. */
import { type Batch, itemFlags, type LogBlock } from '../../model/telemetry.ts'
import { BatchNotes } from '../batch-notes.ts'
import type { DecodeContext } from '../decode-context.ts'
import { logRecordMessage } from '../fields/logs-fields.ts'
import { type MessageShape, shapeOf } from '../fields/message-shape.ts'
import { isFuture, type ReceiptTime, receiptTime } from '../index-time.ts'
import { RecordList } from '../record-list.ts'
import { countItems, RequestWalk } from '../request-walk.ts'
import { isUsableId } from '../rewrite-record.ts'
import { checkValue, scanAttribute } from '../wire/attribute-scan.ts'
import { TextInterner, utf8Source } from '../wire/interner.ts'
import { textAt } from '../wire/utf8-text.ts'
import { cursor, fixed32At, readLength, readTag, readVarint, skipValue } from '../wire/varint.ts'
import { LogColumns } from './log-columns.ts'
import { severityOfText } from './severity.ts'

const logShape: MessageShape = shapeOf(logRecordMessage)

/** Depth of the body or an attribute of a log record: request, groups, record. */
const valueDepth = 5

const logTags = {
  time: 0x09,
  severity: 0x10,
  severityText: 0x1a,
  body: 0x2a,
  attributes: 0x32,
  traceId: 0x4a,
  spanId: 0x52,
  observedTime: 0x59,
  eventName: 0x62,
} as const

const maxSeverity = 24

/** Only event names are interned, and there are few of them. */
const texts = new TextInterner(utf8Source({ entries: 2048, arenaBytes: 65_536 }))
const walk = new RequestWalk()

class LogDecoder {
  readonly #bytes: Uint8Array
  readonly #columns: LogColumns
  readonly #records: RecordList
  readonly #receipt: ReceiptTime
  readonly #refused: Uint32Array | undefined
  #nextRefused = 0
  #index = -1
  row = 0
  readonly notes = new BatchNotes()

  constructor(bytes: Uint8Array, items: number, context: DecodeContext) {
    this.#bytes = bytes
    this.#columns = new LogColumns(items)
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
    const badReference = this.#record(from, to, row)
    columns.resource[row] = resource
    columns.scope[row] = scope
    const outcome = this.#records.add(row, logShape, from, to, badReference)
    if (badReference) {
      columns.flags[row] = (columns.flags[row] ?? 0) | itemFlags.badReference
      this.notes.badReferences++
    }
    if (outcome.truncated) {
      columns.flags[row] = (columns.flags[row] ?? 0) | itemFlags.truncated
      this.notes.cutItems++
    }
    this.row++
  }

  /** Fills a row; true if a trace or span id had to be left out. */
  #record(from: number, to: number, row: number): boolean {
    const bytes = this.#bytes
    const columns = this.#columns
    // What is replayed was looked through to the bottom when it came.
    const judging = this.#refused === undefined
    let high = 0
    let low = 0
    let observedHigh = 0
    let observedLow = 0
    let severity = 0
    let severityFrom = 0
    let severityTo = 0
    let badReference = false
    let pos = from
    while (pos < to) {
      let tag = bytes[pos] ?? 0
      let content = pos + 1
      if (tag >= 0x80 || tag < 8) {
        tag = readTag(bytes, pos, to)
        content = cursor.next
      }
      if ((tag & 7) !== 2) {
        pos = skipValue(bytes, content, to, tag & 7)
        switch (tag) {
          case logTags.time:
            low = fixed32At(bytes, content)
            high = fixed32At(bytes, content + 4)
            break
          case logTags.observedTime:
            observedLow = fixed32At(bytes, content)
            observedHigh = fixed32At(bytes, content + 4)
            break
          case logTags.severity:
            severity = readVarint(bytes, content, to)
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
        case logTags.attributes:
          if (judging) scanAttribute(bytes, value, pos, valueDepth)
          break
        case logTags.body:
          if (judging) checkValue(bytes, value, pos, valueDepth)
          break
        case logTags.severityText:
          severityFrom = value
          severityTo = pos
          break
        case logTags.traceId:
          if (!setId(bytes, value, length, columns.traceId, row * 16, 16)) badReference = true
          break
        case logTags.spanId:
          if (!setId(bytes, value, length, columns.spanId, row * 8, 8)) badReference = true
          break
        case logTags.eventName:
          columns.eventName[row] = texts.number(bytes, value, pos)
          break
        default:
      }
    }
    if (severity === 0 || severity > maxSeverity) severity = severityAt(bytes, severityFrom, severityTo)
    columns.severity[row] = severity
    if (high !== 0 || low !== 0) this.#time(row, high, low, 0)
    else this.#time(row, observedHigh, observedLow, itemFlags.noTime)
    return badReference
  }

  #time(row: number, high: number, low: number, noTime: number): void {
    const receipt = this.#receipt
    let flags = noTime
    let indexHigh = high
    let indexLow = low
    if (high === 0 && low === 0) {
      indexHigh = receipt.high
      indexLow = receipt.low
    } else if (isFuture(receipt, high, low)) {
      flags |= itemFlags.future
      this.notes.future++
      indexHigh = receipt.high
      indexLow = receipt.low
    }
    this.#columns.timeHi[row] = indexHigh
    this.#columns.timeLo[row] = indexLow
    this.#columns.flags[row] = flags
  }

  finish(attributeMaxBytes: number): Batch<LogBlock> {
    this.notes.cutGroups = walk.truncated
    return {
      block: this.#columns.finish(this.row, texts.strings, walk.resources, walk.scopes),
      records: this.#records.finish(this.row),
      refusals: this.notes.refusals,
      warnings: this.notes.warnings('log records', attributeMaxBytes),
    }
  }
}

/** False for an id that is there but cannot be one; an empty id is none. */
function setId(
  bytes: Uint8Array,
  from: number,
  length: number,
  into: Uint8Array,
  at: number,
  wanted: number,
): boolean {
  if (length === 0) return true
  if (!isUsableId(bytes, from, length, wanted)) return false
  for (let i = 0; i < wanted; i++) into[at + i] = bytes[from + i] ?? 0
  return true
}

/** Longest severity text that can mean something. */
const longestSeverityText = 24

function severityAt(bytes: Uint8Array, from: number, to: number): number {
  return to === from || to - from > longestSeverityText ? 0 : severityOfText(textAt(bytes, from, to))
}

/**
 * Decodes an uncompressed ExportLogsServiceRequest. No log record is refused; one with a bad trace or span id
 * is kept without it. The records share `bytes` unless one of them had to be rewritten.
 * Throws InvalidInputError `decode_error`, or `too_large` for more than `maxItemsPerRequest` records.
 */
export function decodeLogs(bytes: Uint8Array, context: DecodeContext): Batch<LogBlock> {
  texts.begin()
  const decoder = new LogDecoder(bytes, countItems(bytes), context)
  walk.walk(bytes, context.attributeMaxBytes, decoder)
  return decoder.finish(context.attributeMaxBytes)
}
