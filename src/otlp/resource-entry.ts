/** Resource and scope of a group of items, read once per distinct message. */
import type { ResourceEntry, ScopeEntry } from '../model/telemetry.ts'
import { resourceMessage, scopeMessage } from './fields/common-fields.ts'
import { type MessageShape, shapeOf } from './fields/message-shape.ts'
import { rewriteRecord } from './rewrite-record.ts'
import { attribute, scanAttribute, shortTextAt } from './wire/attribute-scan.ts'
import { viewOf } from './wire/byte-view.ts'
import { ByteWriter } from './wire/byte-writer.ts'
import { KeyMatcher } from './wire/key-matcher.ts'
import { textAt } from './wire/utf8-text.ts'
import { validateMessage } from './wire/validate-message.ts'
import { cursor, readLength, readTag, skipValue } from './wire/varint.ts'

const resourceShape = shapeOf(resourceMessage)
const scopeShape = shapeOf(scopeMessage)

const keys = [
  'service.name',
  'service.namespace',
  'service.version',
  'service.instance.id',
  'k8s.pod.name',
  'container.id',
  'host.name',
  'cloud.region',
  'deployment.environment.name',
  'deployment.environment',
  'tenant.id',
  'process.creation.time',
  'process.pid',
  'process.runtime.name',
] as const

const matcher = new KeyMatcher(keys)

/** Depth of a Resource or InstrumentationScope: request, resource group, (scope group). */
const resourceDepth = 3
const scopeDepth = 4

export interface Made<T> {
  readonly entry: T
  /** Attribute values were cut. */
  readonly truncated: boolean
}

/**
 * From a group header: the ResourceSpans, ResourceLogs or ResourceMetrics message without its scope groups.
 * Throws `decode_error` when the resource is not well formed.
 */
export function makeResourceEntry(header: Uint8Array, attributeMaxBytes: number): Made<ResourceEntry> {
  const { message, schemaUrl, truncated } = readHeader(
    header,
    resourceShape,
    resourceDepth,
    attributeMaxBytes,
  )
  const values = resourceTexts(message)
  const of = (key: (typeof keys)[number]): string => values.get(key) ?? ''
  const pid = of('process.pid')
  return {
    truncated,
    entry: {
      service: of('service.name') || 'unknown_service',
      namespace: of('service.namespace'),
      version: of('service.version'),
      instance: of('service.instance.id') || of('k8s.pod.name') || of('container.id') || of('host.name'),
      region: of('cloud.region'),
      environment: of('deployment.environment.name') || of('deployment.environment'),
      tenant: of('tenant.id'),
      process: of('process.creation.time') || (pid && `${pid}/${of('process.runtime.name')}`),
      bytes: message,
      schemaUrl,
    },
  }
}

/** From a scope group header: the ScopeSpans, ScopeLogs or ScopeMetrics message without its items. */
export function makeScopeEntry(header: Uint8Array, attributeMaxBytes: number): Made<ScopeEntry> {
  const { message, schemaUrl, truncated } = readHeader(header, scopeShape, scopeDepth, attributeMaxBytes)
  let name = ''
  let version = ''
  for (let pos = 0; pos < message.length; ) {
    const tag = readTag(message, pos, message.length)
    const content = cursor.next
    pos = skipValue(message, content, message.length, tag & 7)
    if (tag !== 0x0a && tag !== 0x12) continue
    const text = textAt(message, pos - readLength(message, content, message.length), pos)
    if (tag === 0x0a) name = text
    else version = text
  }
  return { truncated, entry: { name, version, bytes: message, schemaUrl } }
}

interface Header {
  readonly message: Uint8Array
  readonly schemaUrl: string
  readonly truncated: boolean
}

/**
 * A header holds its message as field 1 and its schema URL as field 3. Several messages are one in protobuf,
 * merged as if their bytes stood together.
 */
function readHeader(header: Uint8Array, shape: MessageShape, depth: number, limit: number): Header {
  const merged = new ByteWriter(header.length)
  let schemaUrl = ''
  for (let pos = 0; pos < header.length; ) {
    const tag = readTag(header, pos, header.length)
    const length = readLength(header, cursor.next, header.length)
    pos = cursor.next + length
    if (tag === 0x0a) merged.raw(header, pos - length, pos)
    else schemaUrl = textAt(header, pos - length, pos)
  }
  const message = merged.copy()
  validateMessage(shape, message, 0, message.length, depth)
  if (message.length <= limit) return { message, schemaUrl, truncated: false }
  merged.reset()
  const { truncated } = rewriteRecord(shape, message, { from: 0, to: message.length }, limit, merged)
  return { message: truncated ? merged.copy() : message, schemaUrl, truncated }
}

function resourceTexts(resource: Uint8Array): Map<(typeof keys)[number], string> {
  const texts = new Map<(typeof keys)[number], string>()
  for (let pos = 0; pos < resource.length; ) {
    const tag = readTag(resource, pos, resource.length)
    const content = cursor.next
    pos = skipValue(resource, content, resource.length, tag & 7)
    if (tag !== 0x0a) continue
    scanAttribute(resource, pos - readLength(resource, content, resource.length), pos, resourceDepth + 1)
    const key = keys[matcher.match(viewOf(resource), attribute.keyFrom, attribute.keyTo - attribute.keyFrom)]
    if (key === undefined) continue
    texts.set(key, shortTextAt(resource, attribute.valueFrom, attribute.valueTo))
  }
  return texts
}
