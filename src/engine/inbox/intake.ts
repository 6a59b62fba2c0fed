/**
 * What happens to one request before it may join a commit: recognised, checked, decoded, split by tenant.
 * What is refused is decided here, once; rows carry the verdict and nobody judges again.
 */
import { InvalidInputError } from '../../errors.ts'
import type { IngestRequest } from '../../model/ingest.ts'
import { type Batch, itemFlags, type Refusal } from '../../model/telemetry.ts'
import { forEachMessage } from '../../otlp/request-walk.ts'
import { type BatchColumns, columnsOf, type DecodeSettings, decodeReceived, toProtobuf } from '../codec.ts'
import type { InboxRow } from './inbox-row.ts'

/** A request as it reaches the inbox worker; answers carry its number. */
export interface IncomingRequest extends Omit<IngestRequest, 'transport' | 'body'> {
  readonly id: number
  /** At the start of a buffer of its own, which goes back to where it came from once the request is answered. */
  readonly body: Uint8Array
}

export interface PreparedEntry {
  readonly row: Omit<InboxRow, 'position'>
  /** Canonical protobuf of the row's body. */
  readonly bytes: Uint8Array
  /** Indices of the refused items, ascending. */
  readonly refused: Uint32Array
  /** See `columnsOf`. */
  readonly columns: BatchColumns | null
}

export interface Prepared {
  /** One a tenant; none if there is nothing to store. */
  readonly entries: readonly PreparedEntry[]
  readonly accepted: number
  readonly rejected: number
  /** For the sender; empty if there is nothing to say. */
  readonly message: string
  /** Whether an item carries a time of its own, without which two equal requests may well be two events. */
  readonly timed: boolean
}

export interface IntakeSettings extends DecodeSettings {
  /** Take the tenant from `tenant.id` of the resource. */
  readonly trustResourceTenant: boolean
}

/** Tenants one request may be split among; each costs a row. */
const maxTenantsPerRequest = 100

/** Longest message to a sender; a response stays far below its 4 MiB. */
const maxMessageChars = 1_000

/**
 * Decodes a decompressed request; `transcoded` is its canonical protobuf if that is known already. Throws
 * InvalidInputError when it can never be taken.
 */
export function prepare(
  request: IncomingRequest,
  bytes: Uint8Array,
  settings: IntakeSettings,
  transcoded?: Uint8Array,
): Prepared {
  const protobuf = transcoded ?? toProtobuf(request.signal, request.encoding, bytes)
  const batch = decodeReceived(request.signal, protobuf, request.receivedAtMs, settings)
  const tenants = settings.trustResourceTenant ? namedTenants(batch, request.tenant) : [request.tenant]
  const only = tenants.length === 1 ? tenants[0] : undefined
  if (only !== undefined && tenantProblem(only) === null) return whole(request, only, bytes, protobuf, batch)
  return split(request, protobuf, settings)
}

function whole(
  request: IncomingRequest,
  tenant: string,
  bytes: Uint8Array,
  protobuf: Uint8Array,
  batch: Batch,
): Prepared {
  const row = {
    tenant,
    signal: request.signal,
    receivedMs: request.receivedAtMs,
    encoding: request.encoding,
    compression: request.compression,
    rawBytes: bytes.length,
    items: batch.block.count,
    refusals: batch.refusals,
    body: request.body,
  }
  return {
    entries:
      batch.block.count === 0
        ? []
        : [
            {
              row,
              bytes: protobuf,
              refused: indicesOf(batch.refusals),
              columns: columnsOf(batch, protobuf),
            },
          ],
    accepted: batch.block.count,
    rejected: batch.refusals.length,
    message: messageFor(batch.refusals, batch.warnings),
    timed: hasTimes(batch),
  }
}

/** One row a tenant, made of the resource groups that name it: concatenated groups are a request again. */
function split(request: IncomingRequest, protobuf: Uint8Array, settings: IntakeSettings): Prepared {
  const groups = new Map<string, Uint8Array[]>()
  const refusals: Refusal[] = []
  forEachMessage(protobuf, 0, protobuf.length, 0x0a, (from, to) => {
    const group = asRequest(protobuf.subarray(from, to))
    const batch = decodeReceived(request.signal, group, request.receivedAtMs, settings)
    const tenant = namedTenants(batch, request.tenant)[0] ?? request.tenant
    const problem = tenantProblem(tenant)
    if (problem === null) {
      const list = groups.get(tenant) ?? []
      list.push(group)
      groups.set(tenant, list)
      if (groups.size <= maxTenantsPerRequest) return
      throw new InvalidInputError(
        'invalid_tenant',
        `the request names more than ${maxTenantsPerRequest} tenants; send one request for each`,
      )
    }
    const sent = batch.block.count + batch.refusals.length
    for (let i = 0; i < sent; i++) refusals.push({ index: i, reason: `tenant.id of the resource ${problem}` })
  })
  const entries: PreparedEntry[] = []
  const warnings = new Set<string>()
  let accepted = 0
  let timed = false
  for (const [tenant, parts] of groups) {
    const bytes = Buffer.concat(parts)
    const batch = decodeReceived(request.signal, bytes, request.receivedAtMs, settings)
    const part = { ...request, encoding: 'protobuf', compression: 'none', body: bytes } as const
    const prepared = whole(part, tenant, bytes, bytes, batch)
    entries.push(...prepared.entries)
    refusals.push(...batch.refusals)
    for (const warning of batch.warnings) warnings.add(warning)
    accepted += prepared.accepted
    timed ||= prepared.timed
  }
  const message = messageFor(refusals, [...warnings])
  return { entries, accepted, rejected: refusals.length, message, timed }
}

/** A resource group with the tag and length that make it a request. */
function asRequest(group: Uint8Array): Uint8Array {
  const prefix = [0x0a]
  let rest = group.length
  for (; rest >= 0x80; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80)
  prefix.push(rest)
  return Buffer.concat([Uint8Array.from(prefix), group])
}

function namedTenants(batch: Batch, fallback: string): readonly string[] {
  const names = new Set<string>()
  for (const resource of batch.block.resources) names.add(resource.tenant === '' ? fallback : resource.tenant)
  return names.size === 0 ? [fallback] : [...names]
}

/** Why a text is no tenant name, or null. */
export function tenantProblem(name: string): string | null {
  if (name === '') return 'is empty'
  if (Buffer.byteLength(name) > 128) return 'is longer than 128 bytes'
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return 'has control characters'
  }
  return null
}

function indicesOf(refusals: readonly Refusal[]): Uint32Array {
  return Uint32Array.from(refusals, refusal => refusal.index).sort()
}

function hasTimes(batch: Batch): boolean {
  for (const flags of batch.block.flags) if ((flags & itemFlags.noTime) === 0) return true
  return false
}

/** Reasons once each, most frequent first, then warnings. */
function messageFor(refusals: readonly Refusal[], warnings: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const { reason } of refusals) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const reasons = [...counts]
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([reason, count]) => `${count} refused: ${reason}`)
  const message = [...reasons, ...warnings].join('; ')
  return message.length <= maxMessageChars ? message : `${message.slice(0, maxMessageChars - 1)}…`
}
