/** google.protobuf.FileDescriptorProto of the OTLP files, made from the field tables, for gRPC reflection. */
import { ByteWriter } from '../wire/byte-writer.ts'
import type { EnumSpec, FieldSpec, FieldType, FileSpec, MessageSpec, ServiceSpec } from './field-table.ts'
import { otlpFiles } from './message-shape.ts'

/** FieldDescriptorProto.Type. */
const descriptorTypes: Readonly<Record<FieldType, number>> = {
  double: 1,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
  sfixed64: 16,
  sint32: 17,
}

const labelOptional = 1
const labelRepeated = 3

const encoder = new TextEncoder()

class DescriptorWriter {
  readonly #out = new ByteWriter()

  text(number: number, text: string): this {
    this.#out.bytesField(number, encoder.encode(text))
    return this
  }

  number(number: number, value: number): this {
    this.#out.varint32(number << 3)
    this.#out.varint32(value)
    return this
  }

  message(number: number, message: Uint8Array): this {
    this.#out.bytesField(number, message)
    return this
  }

  finish(): Uint8Array {
    return this.#out.copy()
  }
}

/** The three collector services with everything they import, each file after its imports. */
export function otlpFileDescriptors(): readonly Uint8Array[] {
  return otlpFiles.map(fileDescriptor)
}

function fileDescriptor(file: FileSpec): Uint8Array {
  const out = new DescriptorWriter().text(1, file.path).text(2, file.package)
  for (const path of file.imports) out.text(3, path)
  for (const message of directChildren(file.messages, file.package)) {
    out.message(4, messageDescriptor(file, message))
  }
  for (const spec of directChildren(file.enums, file.package)) out.message(5, enumDescriptor(spec))
  for (const service of file.services) out.message(6, serviceDescriptor(service))
  return out.text(12, 'proto3').finish()
}

/** What is named directly inside `scope`, a package or a message. */
function directChildren<T extends { readonly name: string }>(
  specs: readonly T[],
  scope: string,
): readonly T[] {
  return specs.filter(spec => spec.name.slice(0, spec.name.lastIndexOf('.')) === scope)
}

function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function messageDescriptor(file: FileSpec, message: MessageSpec): Uint8Array {
  const out = new DescriptorWriter().text(1, simpleName(message.name))
  const oneofs = oneofNames(message)
  for (const field of message.fields) out.message(2, fieldDescriptor(field, oneofs))
  for (const inner of directChildren(file.messages, message.name))
    out.message(3, messageDescriptor(file, inner))
  for (const spec of directChildren(file.enums, message.name)) out.message(4, enumDescriptor(spec))
  for (const name of oneofs) out.message(8, new DescriptorWriter().text(1, name).finish())
  return out.finish()
}

/** Real oneofs first, then those that proto3 makes up for each optional field, as the format demands. */
function oneofNames(message: MessageSpec): readonly string[] {
  const real = new Set(message.fields.map(field => field.oneof).filter(name => name !== ''))
  return [...real, ...message.fields.filter(field => field.optional).map(syntheticOneof)]
}

function syntheticOneof(field: FieldSpec): string {
  return `_${field.name}`
}

function fieldDescriptor(field: FieldSpec, oneofs: readonly string[]): Uint8Array {
  const out = new DescriptorWriter()
    .text(1, field.name)
    .number(3, field.number)
    .number(4, field.repeated ? labelRepeated : labelOptional)
    .number(5, descriptorTypes[field.type])
  if (field.typeName !== '') out.text(6, `.${field.typeName}`)
  const oneof = field.optional ? syntheticOneof(field) : field.oneof
  if (oneof !== '') out.number(9, oneofs.indexOf(oneof))
  out.text(10, field.jsonName)
  if (field.optional) out.number(17, 1)
  return out.finish()
}

function enumDescriptor(spec: EnumSpec): Uint8Array {
  const out = new DescriptorWriter().text(1, simpleName(spec.name))
  for (const [name, number] of spec.values) {
    out.message(2, new DescriptorWriter().text(1, name).number(2, number).finish())
  }
  return out.finish()
}

function serviceDescriptor(service: ServiceSpec): Uint8Array {
  const out = new DescriptorWriter().text(1, simpleName(service.name))
  for (const method of service.methods) {
    out.message(
      2,
      new DescriptorWriter()
        .text(1, method.name)
        .text(2, `.${method.input}`)
        .text(3, `.${method.output}`)
        .finish(),
    )
  }
  return out.finish()
}
