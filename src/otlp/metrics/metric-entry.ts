/** A Metric message without its data points, read once per distinct one. */
import type { MetricEntry } from '../../model/telemetry.ts'
import { shapeOf } from '../fields/message-shape.ts'
import { metricMessage } from '../fields/metrics-fields.ts'
import type { Made } from '../resource-entry.ts'
import { rewriteRecord } from '../rewrite-record.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { textAt } from '../wire/utf8-text.ts'
import { validateMessage } from '../wire/validate-message.ts'
import { cursor, readLength, readTag, readVarint, skipValue } from '../wire/varint.ts'
import { pointLayouts } from './point-layout.ts'

const metricShape = shapeOf(metricMessage)

/** Depth of a Metric: request, groups, metric. */
const metricDepth = 4

/** The largest AggregationTemporality. */
const maxTemporality = 2

/** From a Metric message that has had its points taken out. Throws `decode_error` when it is not well formed. */
export function makeMetricEntry(sent: Uint8Array, attributeMaxBytes: number): Made<MetricEntry> {
  validateMessage(metricShape, sent, 0, sent.length, metricDepth)
  let bytes: Uint8Array = sent.slice()
  let truncated = false
  if (bytes.length > attributeMaxBytes) {
    const out = new ByteWriter(bytes.length)
    truncated = rewriteRecord(
      metricShape,
      sent,
      { from: 0, to: sent.length },
      attributeMaxBytes,
      out,
    ).truncated
    if (truncated) bytes = out.copy()
  }
  const texts = ['', '', '', '']
  let type: MetricEntry['type'] = 'gauge'
  let data = { temporality: 0, monotonic: false }
  for (let pos = 0; pos < bytes.length; ) {
    const tag = readTag(bytes, pos, bytes.length)
    const content = cursor.next
    pos = skipValue(bytes, content, bytes.length, tag & 7)
    if ((tag & 7) !== 2) continue
    const from = pos - readLength(bytes, content, bytes.length)
    const layout = pointLayouts.get(tag >>> 3)
    if (layout !== undefined) {
      type = layout.type
      data = dataFields(bytes, from, pos, data)
    } else if (tag >>> 3 <= 3) texts[tag >>> 3] = textAt(bytes, from, pos)
  }
  const [, name = '', description = '', unit = ''] = texts
  return { truncated, entry: { name, description, unit, type, ...data, bytes } }
}

/** Temporality and monotonicity stand in fields 2 and 3 of every data message that has them. */
function dataFields(
  bytes: Uint8Array,
  from: number,
  to: number,
  before: { temporality: number; monotonic: boolean },
): { temporality: number; monotonic: boolean } {
  let { temporality, monotonic } = before
  for (let pos = from; pos < to; ) {
    const tag = readTag(bytes, pos, to)
    const content = cursor.next
    pos = skipValue(bytes, content, to, tag & 7)
    if (tag === 0x10) temporality = readVarint(bytes, content, to)
    if (tag === 0x18) monotonic = readVarint(bytes, content, to) !== 0
  }
  return { temporality: temporality > maxTemporality ? 0 : temporality, monotonic }
}
