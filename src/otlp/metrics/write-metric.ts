/** A Metric message put together again from its entry and its data points. */
import type { MetricEntry } from '../../model/telemetry.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'
import { cursor, readLength, readTag, skipValue } from '../wire/varint.ts'
import { pointLayouts } from './point-layout.ts'

/** Writes the content of the Metric; its data stands in one message, points first. */
export function writeMetric(out: ByteWriter, entry: MetricEntry, points: readonly Uint8Array[]): void {
  const { bytes } = entry
  const data: Uint8Array[] = []
  let dataTag = 0
  for (let pos = 0; pos < bytes.length; ) {
    const start = pos
    const tag = readTag(bytes, pos, bytes.length)
    const content = cursor.next
    pos = skipValue(bytes, content, bytes.length, tag & 7)
    if ((tag & 7) === 2 && pointLayouts.has(tag >>> 3)) {
      dataTag = tag
      data.push(bytes.subarray(pos - readLength(bytes, content, bytes.length), pos))
    } else out.raw(bytes, start, pos)
  }
  out.varint32(dataTag)
  const begun = out.beginLength(3)
  for (const point of points) out.bytesField(1, point)
  for (const part of data) out.raw(part)
  out.endLength(begun, 3)
}
