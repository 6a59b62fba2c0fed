/** Attributes of stored messages as keys and plain values, in the order they were sent. */
import type { MetricType } from '../model/telemetry.ts'
import { type Attribute, keyValueAt } from './any-value.ts'
import { pointLayout } from './metrics/point-layout.ts'
import { cursor, readLength, readTag, skipValue } from './wire/varint.ts'

/** Tags of the attribute lists. */
const attributeTags = { span: 0x4a, log: 0x32, resource: 0x0a } as const

/** Attributes of an opentelemetry.proto.trace.v1.Span. */
export function attributesOfSpan(span: Uint8Array): readonly Attribute[] {
  return attributesTagged(span, attributeTags.span)
}

/** Attributes of an opentelemetry.proto.logs.v1.LogRecord. */
export function attributesOfLog(logRecord: Uint8Array): readonly Attribute[] {
  return attributesTagged(logRecord, attributeTags.log)
}

/** Attributes of an opentelemetry.proto.resource.v1.Resource. */
export function attributesOfResource(resource: Uint8Array): readonly Attribute[] {
  return attributesTagged(resource, attributeTags.resource)
}

/** Attributes of a data point of a metric of this type. */
export function attributesOfPoint(type: MetricType, point: Uint8Array): readonly Attribute[] {
  return attributesTagged(point, pointLayout(type).attributes)
}

/** The KeyValue fields of `message` that have this tag. Throws `decode_error` when it is not well formed. */
export function attributesTagged(message: Uint8Array, wanted: number): readonly Attribute[] {
  const attributes: Attribute[] = []
  for (let pos = 0; pos < message.length; ) {
    const tag = readTag(message, pos, message.length)
    const content = cursor.next
    pos = skipValue(message, content, message.length, tag & 7)
    if (tag !== wanted) continue
    attributes.push(keyValueAt(message, pos - readLength(message, content, message.length), pos))
  }
  return attributes
}
