/** Halves of the times that decoders compare and fall back to, computed once a request. */
import { halvesOf } from '../model/time.ts'
import { type DecodeContext, futureToleranceMs } from './decode-context.ts'

export interface ReceiptTime {
  /** Nanoseconds of receipt. */
  readonly high: number
  readonly low: number
  /** Times above this are ahead of receipt by more than the tolerance. */
  readonly futureHigh: number
  readonly futureLow: number
}

export function receiptTime(context: DecodeContext): ReceiptTime {
  const received = halvesOf(BigInt(Math.round(context.receivedMs)) * 1_000_000n)
  const future = halvesOf(BigInt(Math.round(context.receivedMs + futureToleranceMs)) * 1_000_000n)
  return { high: received.high, low: received.low, futureHigh: future.high, futureLow: future.low }
}

/** Whether the time is further ahead of receipt than can be believed. */
export function isFuture(receipt: ReceiptTime, high: number, low: number): boolean {
  return high > receipt.futureHigh || (high === receipt.futureHigh && low > receipt.futureLow)
}
