/**
 * A consistent probability sampler as OpenTelemetry's specification has it (trace/tracestate-probability-sampling):
 * the root compares the last 56 bits of the trace id, which are random, with a rejection threshold and writes
 * the threshold into the trace state, `ot=th:c` for a quarter; everything below follows its parent.
 */
import { type Context, createTraceState, TraceFlags, trace } from '@opentelemetry/api'
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace'

const randomDigits = 14

/** `threshold` is hexadecimal without trailing zeros, as it goes into the trace state. */
export function thresholdSampler(threshold: string): Sampler {
  const rejectBelow = BigInt(`0x${threshold.padEnd(randomDigits, '0')}`)
  return {
    shouldSample: (context: Context, traceId: string): SamplingResult => {
      const parent = trace.getSpanContext(context)
      if (parent !== undefined) {
        const kept = (parent.traceFlags & TraceFlags.SAMPLED) !== 0
        const decision = kept ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD
        return parent.traceState === undefined ? { decision } : { decision, traceState: parent.traceState }
      }
      const kept = BigInt(`0x${traceId.slice(-randomDigits)}`) >= rejectBelow
      if (!kept) return { decision: SamplingDecision.NOT_RECORD }
      const traceState = createTraceState(`ot=th:${threshold}`)
      return { decision: SamplingDecision.RECORD_AND_SAMPLED, traceState }
    },
    toString: () => `ThresholdSampler{${threshold}}`,
  }
}
