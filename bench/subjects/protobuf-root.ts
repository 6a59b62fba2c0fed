/** OTLP for protobufjs, built from our field tables: the baseline decodes with a library everybody knows. */
import protobuf from 'protobufjs'
import { otlpFiles } from '../../src/otlp/fields/message-shape.ts'

/** A protobufjs type by full name, such as `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest`. */
export function protobufType(fullName: string): protobuf.Type {
  return root().lookupType(fullName)
}

let built: protobuf.Root | null = null

function root(): protobuf.Root {
  if (built !== null) return built
  built = new protobuf.Root()
  for (const file of otlpFiles) {
    for (const spec of file.enums) {
      const values = Object.fromEntries(spec.values.map(([name, number]) => [name, number]))
      place(built, spec.name, new protobuf.Enum(lastPart(spec.name), values))
    }
    for (const message of file.messages) {
      const type = new protobuf.Type(lastPart(message.name))
      for (const field of message.fields) {
        const name = field.typeName === '' ? field.type : `.${field.typeName}`
        type.add(
          new protobuf.Field(field.jsonName, field.number, name, field.repeated ? 'repeated' : undefined),
        )
      }
      place(built, message.name, type)
    }
  }
  built.resolveAll()
  return built
}

function place(root: protobuf.Root, fullName: string, object: protobuf.ReflectionObject): void {
  const parent = fullName.split('.').slice(0, -1)
  const found = root.lookup(parent)
  const namespace = found instanceof protobuf.Namespace ? found : root.define(parent)
  namespace.add(object)
}

function lastPart(fullName: string): string {
  return fullName.split('.').at(-1) ?? fullName
}
