/** The body of a log record as text (logs.proto: LogRecord.body = 5; common.proto: AnyValue.string_value = 1). */
import { valueAt, valueText } from '../../otlp/any-value.ts'
import { textAt } from '../../otlp/wire/utf8-text.ts'
import { cursor, readLength, readTag, skipValue } from '../../otlp/wire/varint.ts'

const bodyTag = (5 << 3) | 2
const stringValueTag = (1 << 3) | 2

/** A string body as it is, any other as compact JSON, the empty string without one. */
export function bodyTextOf(record: Uint8Array): string {
  for (let pos = 0; pos < record.length; ) {
    const tag = readTag(record, pos, record.length)
    const content = cursor.next
    pos = skipValue(record, content, record.length, tag & 7)
    if (tag !== bodyTag) continue
    const from = pos - readLength(record, content, record.length)
    if (from < pos && readTag(record, from, pos) === stringValueTag) {
      const length = readLength(record, cursor.next, pos)
      if (cursor.next + length === pos) return textAt(record, cursor.next, pos)
    }
    return valueText(valueAt(record, from, pos))
  }
  return ''
}
