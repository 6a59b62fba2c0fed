/**
 * ExportTraceServiceResponse, ExportLogsServiceResponse and ExportMetricsServiceResponse.
 * https://opentelemetry.io/docs/specs/otlp/#partial-success
 */
import type { Signal } from '../model/telemetry.ts'
import { collectorServices } from '../otlp/fields/collector-fields.ts'
import { ByteWriter } from '../otlp/wire/byte-writer.ts'
import { senderMessage } from './refusal.ts'

export interface PartialSuccess {
  /** Items that were not stored. */
  readonly rejected: number
  /** Why, or a warning although all were stored. */
  readonly message: string
}

/** Full success without a word leaves `partial_success` unset, as the specification demands. */
function isFull(partial: PartialSuccess): boolean {
  return partial.rejected === 0 && partial.message === ''
}

const empty = new Uint8Array(0)

/**
 * The responses of all signals share their numbers: partial_success = 1 { int64 rejected = 1;
 * string error_message = 2 }.
 */
export function encodeExportResponse(partial: PartialSuccess): Uint8Array {
  if (isFull(partial)) return empty
  const writer = new ByteWriter()
  const inner = new ByteWriter()
  if (partial.rejected > 0) {
    inner.varint32(1 << 3)
    inner.varint32(partial.rejected)
  }
  inner.bytesField(2, new TextEncoder().encode(senderMessage(partial.message)))
  writer.bytesField(1, inner.view())
  return writer.copy()
}

/** The same in the protobuf JSON mapping, where int64 is a string. */
export function exportResponseJson(signal: Signal, partial: PartialSuccess): string {
  if (isFull(partial)) return '{}'
  const rejectedName = collectorServices[signal].partialSuccess.fields[0]?.jsonName ?? 'rejected'
  const errorMessage = senderMessage(partial.message)
  return JSON.stringify({
    partialSuccess:
      partial.rejected > 0 ? { [rejectedName]: String(partial.rejected), errorMessage } : { errorMessage },
  })
}
