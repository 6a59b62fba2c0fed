/**
 * What a protobuf message of OTLP looks like: its fields by number, name, JSON name and type.
 *
 * Everything generic is driven by these tables: validation, plain-object and JSON codecs, reflection
 * descriptors and the test that no field is lost. The columnar decoders are written by hand beside them.
 */

export type ScalarType =
  | 'double'
  | 'int64'
  | 'uint64'
  | 'int32'
  | 'fixed64'
  | 'fixed32'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'uint32'
  | 'sfixed64'
  | 'sint32'

export type FieldType = ScalarType | 'message' | 'enum'

export interface FieldSpec {
  readonly number: number
  /** As in the proto file. */
  readonly name: string
  readonly jsonName: string
  readonly type: FieldType
  /** Full name of the message or enum, without a leading dot; empty for scalars. */
  readonly typeName: string
  readonly repeated: boolean
  /** `optional` in proto3: absent and default are told apart. */
  readonly optional: boolean
  /** Name of the oneof it is a member of, else empty. */
  readonly oneof: string
  /** Bytes of a trace or span id, which are hexadecimal in JSON; 0 for everything else. */
  readonly idBytes: 0 | 8 | 16
}

export interface EnumSpec {
  /** Full name. */
  readonly name: string
  /** Name and number of each value, the zero value first. */
  readonly values: readonly (readonly [name: string, number: number])[]
}

export interface MessageSpec {
  /** Full name, such as `opentelemetry.proto.trace.v1.Span.Link`. */
  readonly name: string
  readonly fields: readonly FieldSpec[]
}

export interface MethodSpec {
  readonly name: string
  readonly input: string
  readonly output: string
}

export interface ServiceSpec {
  /** Full name. */
  readonly name: string
  readonly methods: readonly MethodSpec[]
}

/** One proto file. */
export interface FileSpec {
  /** Path as other files import it, such as `opentelemetry/proto/trace/v1/trace.proto`. */
  readonly path: string
  readonly package: string
  readonly imports: readonly string[]
  readonly messages: readonly MessageSpec[]
  readonly enums: readonly EnumSpec[]
  readonly services: readonly ServiceSpec[]
}

type FieldOptions = Partial<Pick<FieldSpec, 'repeated' | 'optional' | 'oneof' | 'idBytes'>>

const defaults = { repeated: false, optional: false, oneof: '', idBytes: 0 } as const

/** A scalar field. */
export function scalar(number: number, name: string, type: ScalarType, options?: FieldOptions): FieldSpec {
  return { ...defaults, number, name, jsonName: jsonNameOf(name), type, typeName: '', ...options }
}

/** A field that holds a message. */
export function nested(number: number, name: string, typeName: string, options?: FieldOptions): FieldSpec {
  return { ...defaults, number, name, jsonName: jsonNameOf(name), type: 'message', typeName, ...options }
}

/** A repeated field of messages. */
export function list(number: number, name: string, typeName: string): FieldSpec {
  return nested(number, name, typeName, { repeated: true })
}

/** A field that holds an enum. */
export function enumeration(number: number, name: string, typeName: string): FieldSpec {
  return { ...defaults, number, name, jsonName: jsonNameOf(name), type: 'enum', typeName }
}

function jsonNameOf(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
