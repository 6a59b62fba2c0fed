import { describe, expect, test } from 'vitest'
import { otlpFiles } from '../../../src/otlp/fields/message-shape.ts'
import { rpcFiles } from '../../../src/otlp/fields/rpc-fields.ts'
import { factLines } from '../otlp-facts.ts'

/** Our tables, in the words of the facts. */
function ownLines(): string[] {
  const lines: string[] = []
  for (const file of otlpFiles) lines.push(`file ${file.path} imports ${[...file.imports].sort().join(',')}`)
  for (const file of [...otlpFiles, ...rpcFiles]) {
    for (const message of file.messages) {
      lines.push(`message ${message.name}`)
      for (const field of message.fields) {
        const type = field.typeName === '' ? field.type : field.typeName
        const rule = field.repeated ? ' repeated' : field.optional ? ' optional' : ''
        const oneof = field.oneof === '' ? '' : ` oneof=${field.oneof}`
        lines.push(
          `${message.name}.${field.name}=${field.number}:${type}${rule}${oneof} json=${field.jsonName}`,
        )
      }
    }
    for (const spec of file.enums) {
      for (const [name, number] of spec.values) lines.push(`enum ${spec.name}.${name}=${number}`)
    }
    for (const service of file.services) {
      for (const method of service.methods) {
        lines.push(`rpc ${service.name}/${method.name}(${method.input}) ${method.output}`)
      }
    }
  }
  return lines.sort()
}

describe('the field tables', () => {
  test('say of every file, message, field, enum and method what the Go implementation of OTLP 1.11 says', () => {
    expect(ownLines()).toEqual([...factLines].sort())
    expect(factLines.length).toBeGreaterThan(250)
  })

  test('mark exactly the fields whose bytes are ids', () => {
    const ids = otlpFiles
      .flatMap(file => file.messages)
      .flatMap(message =>
        message.fields.filter(field => field.idBytes > 0).map(f => `${message.name}.${f.name}`),
      )
      .map(name => name.replace('opentelemetry.proto.', ''))
    expect(ids.sort()).toEqual([
      'logs.v1.LogRecord.span_id',
      'logs.v1.LogRecord.trace_id',
      'metrics.v1.Exemplar.span_id',
      'metrics.v1.Exemplar.trace_id',
      'trace.v1.Span.Link.span_id',
      'trace.v1.Span.Link.trace_id',
      'trace.v1.Span.parent_span_id',
      'trace.v1.Span.span_id',
      'trace.v1.Span.trace_id',
    ])
  })
})
