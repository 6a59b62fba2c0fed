import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import 'protobufjs/ext/descriptor.js'
import { otlpFileDescriptors } from '../../../src/otlp/fields/file-descriptors.ts'
import { factLines } from '../otlp-facts.ts'
import { concat, field } from '../request-builder.ts'

/** What protobufjs reads out of the descriptors, in the words of the facts. */
function describedLines(): string[] {
  const set = concat(...otlpFileDescriptors().map(file => field(1, file)))
  const lines: string[] = []
  const visit = (object: protobuf.ReflectionObject): void => {
    const name = object.fullName.slice(1)
    if (object instanceof protobuf.Type) {
      lines.push(`message ${name}`)
      for (const inner of object.fieldsArray) lines.push(fieldLine(name, inner))
    }
    if (object instanceof protobuf.Enum) {
      for (const [value, number] of Object.entries(object.values))
        lines.push(`enum ${name}.${value}=${number}`)
    }
    if (object instanceof protobuf.Service) {
      for (const method of object.methodsArray) {
        method.resolve()
        const types = [method.resolvedRequestType, method.resolvedResponseType]
        const [input, output] = types.map(type => type?.fullName.slice(1))
        lines.push(`rpc ${name}/${method.name}(${input}) ${output}`)
      }
    }
    if (object instanceof protobuf.Namespace) for (const inner of object.nestedArray) visit(inner)
  }
  visit(protobuf.Root.fromDescriptor(set, { keepCase: true }).resolveAll())
  return lines.sort()
}

function fieldLine(message: string, field: protobuf.Field): string {
  const { name, id, repeated, partOf, resolvedType, type } = field.resolve()
  const synthetic = partOf?.name === `_${name}`
  const rule = repeated ? ' repeated' : synthetic ? ' optional' : ''
  const oneof = partOf === null || synthetic ? '' : ` oneof=${partOf.name}`
  return `${message}.${name}=${id}:${resolvedType?.fullName.slice(1) ?? type}${rule}${oneof}`
}

describe('the file descriptors for reflection', () => {
  test('describe every message, field, enum and method of OTLP as the Go implementation does', () => {
    const facts = factLines
      .filter(line => !line.startsWith('file ') && !/^(message )?google\./.test(line))
      .map(line => line.replace(/ json=\w+$/, ''))
    expect(describedLines()).toEqual(facts.sort())
  })
})
