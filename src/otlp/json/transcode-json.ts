/** OTLP/JSON requests into canonical protobuf, once, so that everything behind sees one encoding. */
import { InvalidInputError } from '../../errors.ts'
import type { Signal } from '../../model/telemetry.ts'
import { requestShape } from '../fields/message-shape.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { encodeMessage, isJsonObject } from './encode-json.ts'
import { type MessagePlan, planOf } from './json-plan.ts'
import { scanJson } from './scan-json.ts'

const decoder = new TextDecoder('utf-8')

/** Numbers of more digits than a double holds, standing where a JSON value starts. */
const longNumber = /[:,[]\s*-?\d{16}/

/** Requests up to this size share one buffer, which no request makes larger than a few times that. */
const scratchBytes = 262_144
const scratch = new ByteWriter(scratchBytes)

/**
 * Canonical protobuf of an ExportTraceServiceRequest, ExportLogsServiceRequest or ExportMetricsServiceRequest in
 * the JSON mapping of OTLP: ids hexadecimal, enums integers (names are taken too), 64-bit integers as text or
 * number without loss, camelCase names only. A byte order mark is skipped, the last of equal keys counts, lone
 * surrogates become U+FFFD. Ids of wrong length are kept for the decoder to refuse their items alone.
 * Throws InvalidInputError `decode_error` for what is no JSON, of the wrong kind, or nested too deep.
 * Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function transcodeJson(signal: Signal, bytes: Uint8Array): Uint8Array {
  const plan = planOf(requestShape(signal))
  // Protobuf takes about half the bytes of its JSON.
  const out = bytes.length <= scratchBytes ? scratch : new ByteWriter((bytes.length >>> 1) + 64)
  out.reset()
  if (!scanJson(bytes, plan, out)) {
    out.reset()
    transcodeCompletely(bytes, plan, out)
  }
  return out.copy()
}

/** The complete path, over JSON.parse; exported as the measure of the fast one. */
export function transcodeCompletely(bytes: Uint8Array, plan: MessagePlan, out: ByteWriter): void {
  const request = parse(decoder.decode(bytes))
  if (!isJsonObject(request)) {
    throw new InvalidInputError('decode_error', 'the request must be a JSON object')
  }
  encodeMessage(out, plan, request, 1)
}

function parse(text: string): unknown {
  try {
    return longNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new InvalidInputError('decode_error', `malformed JSON: ${error.message}`, { cause: error })
    }
    // The reviver recurses natively; a request too deep for it is bad input, not a fault of ours.
    if (error instanceof RangeError) {
      throw new InvalidInputError('decode_error', 'JSON nested too deep', { cause: error })
    }
    throw error
  }
}

/** Keeps whole numbers that a double cannot hold as the text they were sent as. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source ?? ''
  return /^-?\d+$/.test(source) ? source : value
}
