/** Reflection as its clients use it: list the services, fetch the files, build the messages from them. */

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Metadata } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BareGrpcClient } from './grpc-client.ts'
import { sampleSpans } from './otlp-samples.ts'
import { RunningReceivers } from './running-receivers.ts'

const packageDirectory = join(dirname(createRequire(import.meta.url).resolve('@grpc/reflection')), '..')

let receivers: RunningReceivers
let client: BareGrpcClient

beforeAll(async () => {
  receivers = await RunningReceivers.start({
    auth: { keys: [{ id: 'api-key', secret: 'a-key-of-the-test' }], keyRequired: true },
  })
  client = new BareGrpcClient(receivers.grpcAddress)
})
afterAll(async () => {
  client.close()
  await receivers.stop()
})

interface Reply {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] }
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] }
  readonly errorResponse?: { readonly errorCode: number }
}

describe.each(['v1', 'v1alpha'])('reflection %s', version => {
  const root = protobuf.loadSync(join(packageDirectory, `proto/grpc/reflection/${version}/reflection.proto`))
  const requestType = root.lookupType(`grpc.reflection.${version}.ServerReflectionRequest`)
  const replyType = root.lookupType(`grpc.reflection.${version}.ServerReflectionResponse`)

  function ask(question: object, key = 'a-key-of-the-test'): Promise<Reply> {
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${key}`)
    return new Promise((resolve, reject) => {
      const stream = client.channel.makeBidiStreamRequest(
        `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        (message: object) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
        (bytes: Buffer) => replyType.toObject(replyType.decode(bytes)) as Reply,
        metadata,
      )
      stream.on('data', resolve).on('error', reject)
      stream.write(question)
      stream.end()
    })
  }

  it('lists the three collector services and health, and nothing else', async () => {
    const reply = await ask({ listServices: '*' })
    expect(reply.listServicesResponse?.service.map(service => service.name).sort()).toEqual([
      'grpc.health.v1.Health',
      'opentelemetry.proto.collector.logs.v1.LogsService',
      'opentelemetry.proto.collector.metrics.v1.MetricsService',
      'opentelemetry.proto.collector.trace.v1.TraceService',
    ])
  })

  it.each([
    ['trace', 'TraceService', 'ExportTraceServiceRequest'],
    ['logs', 'LogsService', 'ExportLogsServiceRequest'],
    ['metrics', 'MetricsService', 'ExportMetricsServiceRequest'],
  ])('describes the %s service with everything it imports', async (folder, service, message) => {
    const pkg = `opentelemetry.proto.collector.${folder}.v1`
    const described = await describedBy(ask({ fileContainingSymbol: `${pkg}.${service}` }))
    expect(described.lookupService(`${pkg}.${service}`).methods['Export']?.requestType).toContain(message)
    expect(described.lookupType(`${pkg}.${message}`).fieldsArray).toHaveLength(1)
  })

  it('describes spans well enough to read one', async () => {
    const described = await describedBy(
      ask({ fileContainingSymbol: 'opentelemetry.proto.collector.trace.v1.TraceService' }),
    )
    const type = described.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest')
    const decoded = type.toObject(type.decode(sampleSpans(2).protobuf)) as {
      readonly resourceSpans: readonly {
        readonly scopeSpans: readonly { readonly spans: readonly { readonly name: string }[] }[]
      }[]
    }
    const names = decoded.resourceSpans.flatMap(group => group.scopeSpans.flatMap(scope => scope.spans))
    expect(names.map(span => span.name)).toEqual(['span 0', 'span 1'])
  })

  it('does not know other symbols', async () => {
    const reply = await ask({
      fileContainingSymbol: 'opentelemetry.proto.collector.profiles.v1.ProfilesService',
    })
    expect(reply.errorResponse?.errorCode).toBe(5)
  })

  it('is closed without the key', async () => {
    await expect(ask({ listServices: '*' }, 'another-key')).rejects.toMatchObject({ code: 16 })
  })
})

it('health is open to probes without the key', async () => {
  const answer = await client.call('/grpc.health.v1.Health/Check', new Uint8Array())
  expect(answer).toMatchObject({ code: 0, message: new Uint8Array([8, 1]) })
})

async function describedBy(asked: Promise<Reply>): Promise<protobuf.Root> {
  const files = (await asked).fileDescriptorResponse?.fileDescriptorProto ?? []
  const set = descriptor.FileDescriptorSet.create({
    file: files.map(bytes => descriptor.FileDescriptorProto.decode(bytes)),
  })
  // The method that ext/descriptor adds to Root.
  const build = Reflect.get(protobuf.Root, 'fromDescriptor') as (set: object) => protobuf.Root
  const root = build(set)
  root.resolveAll()
  return root
}
