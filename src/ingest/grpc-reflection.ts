/** Server reflection, v1 and v1alpha: lists and describes the collector services and health. */
import type { Server } from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { service as healthService } from 'grpc-health-check'

/** `files` are FileDescriptorProto messages, each with everything it imports among them. */
export function addReflection(server: Server, files: readonly Uint8Array[]): void {
  const otlp = {
    format: 'Protocol Buffer 3 EnumDescriptorProto' as const,
    type: {},
    fileDescriptorProtos: files.map(bytes => Buffer.from(bytes)),
  }
  const health = healthService['Check']?.requestType
  new ReflectionService(health === undefined ? { otlp } : { otlp, health }).addToServer(server)
}
