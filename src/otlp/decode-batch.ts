/** One entrance to the columnar decoders for callers that hold a signal in a variable. */
import type { Batch, Signal } from '../model/telemetry.ts'
import type { DecodeContext } from './decode-context.ts'
import { decodeLogs } from './logs/decode-logs.ts'
import { decodeMetrics } from './metrics/decode-metrics.ts'
import { decodeTraces } from './traces/decode-traces.ts'

/** Decodes an uncompressed export request of the signal. Throws as the three decoders do. */
export function decodeBatch(signal: Signal, bytes: Uint8Array, context: DecodeContext): Batch {
  switch (signal) {
    case 'traces':
      return decodeTraces(bytes, context)
    case 'logs':
      return decodeLogs(bytes, context)
    case 'metrics':
      return decodeMetrics(bytes, context)
    default:
      return signal satisfies never
  }
}
