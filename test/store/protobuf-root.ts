/** OTLP's messages in protobufjs, an implementation that shares no code with ours; the truth tests compare to. */
import protobuf from 'protobufjs'
import type { Signal } from '../../src/model/telemetry.ts'
import type { FieldSpec } from '../../src/otlp/fields/field-table.ts'
import { otlpFiles } from '../../src/otlp/fields/message-shape.ts'

export const root: protobuf.Root = makeRoot()

function makeRoot(): protobuf.Root {
  const made = new protobuf.Root()
  for (const file of otlpFiles) {
    for (const spec of file.enums) {
      const values = Object.fromEntries(spec.values)
      placeOf(made, spec.name).add(new protobuf.Enum(lastName(spec.name), values))
    }
    for (const spec of file.messages) {
      const type = typeAt(made, spec.name)
      for (const field of spec.fields) type.add(fieldOf(field))
      const oneofs = new Map<string, string[]>()
      for (const field of spec.fields)
        if (field.oneof !== '') oneofs.set(field.oneof, [...(oneofs.get(field.oneof) ?? []), field.jsonName])
      for (const [name, members] of oneofs) type.add(new protobuf.OneOf(name, members))
    }
  }
  made.resolveAll()
  return made
}

function fieldOf(field: FieldSpec): protobuf.Field {
  const type = field.typeName === '' ? field.type : `.${field.typeName}`
  return new protobuf.Field(field.jsonName, field.number, type, field.repeated ? 'repeated' : undefined)
}

function lastName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function placeOf(made: protobuf.Root, name: string): protobuf.Namespace {
  const parent = name.slice(0, name.lastIndexOf('.'))
  return /\.[A-Z]\w*$/.test(parent) ? typeAt(made, parent) : made.define(parent)
}

function typeAt(made: protobuf.Root, name: string): protobuf.Type {
  const place = placeOf(made, name)
  const known = place.get(lastName(name))
  if (known instanceof protobuf.Type) return known
  const type = new protobuf.Type(lastName(name))
  place.add(type)
  return type
}

export const requestTypes: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  logs: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
  metrics: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
}

/** Encodes a plain object; 64-bit numbers may be strings, bytes Uint8Array. */
export function encode(typeName: string, value: object): Uint8Array {
  const type = root.lookupType(typeName)
  return type.encode(type.fromObject(value)).finish()
}

/** A message as a plain object, 64-bit numbers as strings and bytes as hexadecimal, absent fields left out. */
export function decode(typeName: string, bytes: Uint8Array): unknown {
  const type = root.lookupType(typeName)
  const plain: unknown = type.toObject(type.decode(bytes), { longs: String, enums: Number })
  return withHex(plain)
}

function withHex(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(withHex)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withHex(item)]))
}
