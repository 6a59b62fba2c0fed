/** The body of a log record as text (logs.proto: LogRecord.body = 5; common.proto: AnyValue.string_value = 1). */
import { valueAt, valueText } from '../../otlp/any-value.ts'
import { textAt } from '../../otlp/wire/utf8-text.ts'
import { cursor, readLength, readTag, skipValue } from '../../otlp/wire/varint.ts'

const bodyTag = (5 << 3) | 2
const stringValueTag = (1 << 3) | 2

/** Where the bodies of records lie; what `find` found stands in its fields until the next one. */
export class LogBody {
  /** The value of the body, or the string in it where `isText`. */
  from = 0
  to = 0
  isText = false

  /** Looks into the record `bytes[start, end)`; without a body its text is empty. */
  find(bytes: Uint8Array, start: number, end: number): void {
    for (let pos = start; pos < end; ) {
      let tag = bytes[pos] as number
      let content = pos + 1
      // Tags and lengths of one byte are most of a record; whatever else there is, and what is wrong, is read by the book.
      if (tag > 127 || tag < 8) {
        tag = readTag(bytes, pos, end)
        content = cursor.next
      }
      const size = bytes[content] as number
      if ((tag & 7) === 1 && content + 8 <= end) pos = content + 8
      else if ((tag & 7) === 2 && size < 128 && content + size < end) pos = content + 1 + size
      else pos = skipValue(bytes, content, end, tag & 7)
      if (tag !== bodyTag) continue
      this.to = pos
      this.from = pos - readLength(bytes, content, end)
      this.isText = this.#isString(bytes)
      return
    }
    this.from = end
    this.to = end
    this.isText = true
  }

  /** Makes string and body one if the string is all there is. */
  #isString(bytes: Uint8Array): boolean {
    const { from, to } = this
    if (from === to || readTag(bytes, from, to) !== stringValueTag) return false
    const length = readLength(bytes, cursor.next, to)
    if (cursor.next + length !== to) return false
    this.from = cursor.next
    return true
  }

  /** A string body as it is, any other as compact JSON, the empty string without one. */
  text(bytes: Uint8Array): string {
    const { from, to, isText } = this
    return isText ? textAt(bytes, from, to) : valueText(valueAt(bytes, from, to))
  }
}

const body = new LogBody()

/** The text of the body of a record. */
export function bodyTextOf(record: Uint8Array): string {
  body.find(record, 0, record.length)
  return body.text(record)
}
