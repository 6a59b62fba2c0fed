/** The port between a load and the transport that carries it. */
import type { Signal } from '../../model/telemetry.ts'
import type { Acknowledgement } from './acknowledgement.ts'

export interface SenderOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  /** Of one attempt. */
  readonly timeoutMs: number
  readonly gzip: boolean
}

export interface LoadSender {
  /** One attempt; never rejects. `tenant` empty: the key's own. */
  send(signal: Signal, body: Buffer, tenant: string): Promise<Acknowledgement>
  close(): Promise<void>
}

/** How often a request is sent again, and for how long, before it counts as given up. */
export interface RetryLimits {
  readonly forMs: number
  readonly firstDelayMs: number
  readonly maxDelayMs: number
}

/** The delays are those the OpenTelemetry SDKs and the Collector use, give or take. */
export const defaultRetry: RetryLimits = { forMs: 60_000, firstDelayMs: 250, maxDelayMs: 5_000 }

export type Delivery =
  | { readonly type: 'accepted'; readonly rejected: number; readonly attempts: number }
  | {
      readonly type: 'failed'
      readonly status: string
      readonly detail: string
      readonly attempts: number
    }

export interface DeliveryParts {
  readonly sender: LoadSender
  readonly retry: RetryLimits
  /** 0 to 1, for the jitter. */
  readonly random: () => number
  readonly signal: AbortSignal
  onRetry(status: string): void
}

/**
 * Sends until it is acknowledged or refused for good, as the specification has it: at once never, after the time the
 * server names, else after a delay that doubles, with jitter.
 */
export async function deliver(
  parts: DeliveryParts,
  signal: Signal,
  body: Buffer,
  tenant: string,
): Promise<Delivery> {
  const started = performance.now()
  for (let attempts = 1; ; attempts++) {
    const answer = await parts.sender.send(signal, body, tenant)
    if (answer.type === 'accepted') return { ...answer, attempts }
    if (answer.type === 'refused') return { ...answer, type: 'failed', attempts }
    parts.onRetry(answer.status)
    const { retry } = parts
    const backoff = Math.min(retry.maxDelayMs, retry.firstDelayMs * 2 ** Math.min(attempts - 1, 20))
    const delayMs = (answer.afterMs ?? backoff) * (0.75 + parts.random() * 0.5)
    if (parts.signal.aborted || performance.now() - started + delayMs > retry.forMs) {
      return { type: 'failed', status: answer.status, detail: 'given up after retries', attempts }
    }
    await sleep(delayMs, parts.signal)
  }
}

/** Resolves after the time or as soon as the signal fires. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) {
      resolve()
      return
    }
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
