/** Every table by name, and their fields by number and JSON name for the generic codecs. */
import type { Signal } from '../../model/telemetry.ts'
import { collectorServices } from './collector-fields.ts'
import { commonFile, resourceFile } from './common-fields.ts'
import type { FieldSpec, FileSpec, MessageSpec } from './field-table.ts'
import { logsFile } from './logs-fields.ts'
import { metricsFile } from './metrics-fields.ts'
import { rpcFiles } from './rpc-fields.ts'
import { traceFile } from './trace-fields.ts'

/** All proto files of OTLP that this process speaks, each after those it imports. */
export const otlpFiles: readonly FileSpec[] = [
  commonFile,
  resourceFile,
  traceFile,
  logsFile,
  metricsFile,
  collectorServices.traces.file,
  collectorServices.logs.file,
  collectorServices.metrics.file,
]

/** A field with the shape of the message it holds. */
export interface FieldShape {
  readonly spec: FieldSpec
  /** Shape of the field's message; null for scalars and enums. */
  readonly message: MessageShape | null
  /** The wire type of one value. */
  readonly wireType: 0 | 1 | 2 | 5
  /** The tag with that wire type. */
  readonly tag: number
  /** Repeated numbers also come, and are written, as one length-delimited run. */
  readonly packable: boolean
  /** Written even when it holds the default. */
  readonly presence: boolean
}

/** A message ready to be walked. */
export interface MessageShape {
  readonly name: string
  readonly fields: readonly FieldShape[]
  /** Index is the field number; sparse. */
  readonly byNumber: readonly (FieldShape | undefined)[]
  readonly byJsonName: ReadonlyMap<string, FieldShape>
}

interface GrowingShape {
  name: string
  fields: FieldShape[]
  byNumber: (FieldShape | undefined)[]
  byJsonName: Map<string, FieldShape>
}

const specs = new Map<string, MessageSpec>()
for (const file of [...otlpFiles, ...rpcFiles]) {
  for (const message of file.messages) specs.set(message.name, message)
}

const enums = new Map<string, ReadonlyMap<string, number>>()
for (const file of otlpFiles) {
  for (const spec of file.enums) enums.set(spec.name, new Map(spec.values))
}

/** Numbers of an enum's values by their names; throws for a name no table has, which is a bug. */
export function enumNumbers(name: string): ReadonlyMap<string, number> {
  const numbers = enums.get(name)
  if (numbers === undefined) throw new Error(`no table for enum ${name}`)
  return numbers
}

const shapes = new Map<string, GrowingShape>()

/** The shape of a message by full name; throws for a name no table has, which is a bug. */
export function shapeNamed(name: string): MessageShape {
  const known = shapes.get(name)
  if (known !== undefined) return known
  const spec = specs.get(name)
  if (spec === undefined) throw new Error(`no field table for message ${name}`)
  const shape: GrowingShape = { name, fields: [], byNumber: [], byJsonName: new Map() }
  // Entered before its fields, because AnyValue holds itself.
  shapes.set(name, shape)
  for (const field of spec.fields) {
    const built = fieldShape(field)
    shape.fields.push(built)
    shape.byNumber[field.number] = built
    shape.byJsonName.set(field.jsonName, built)
  }
  return shape
}

export function shapeOf(spec: MessageSpec): MessageShape {
  return shapeNamed(spec.name)
}

/** The request message of a signal. */
export function requestShape(signal: Signal): MessageShape {
  return shapeOf(collectorServices[signal].request)
}

function fieldShape(spec: FieldSpec): FieldShape {
  const wireType = wireTypeOf(spec)
  return {
    spec,
    message: spec.type === 'message' ? shapeNamed(spec.typeName) : null,
    wireType,
    tag: (spec.number << 3) | wireType,
    packable: spec.repeated && wireType !== 2,
    presence: spec.optional || spec.oneof !== '' || spec.type === 'message',
  }
}

function wireTypeOf(spec: FieldSpec): 0 | 1 | 2 | 5 {
  switch (spec.type) {
    case 'double':
    case 'fixed64':
    case 'sfixed64':
      return 1
    case 'fixed32':
      return 5
    case 'string':
    case 'bytes':
    case 'message':
      return 2
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
    case 'sint32':
    case 'bool':
    case 'enum':
      return 0
    default:
      return spec.type satisfies never
  }
}
