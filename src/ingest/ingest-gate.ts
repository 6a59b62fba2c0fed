/** Stands before the inbox and turns requests away, with a retry time, while an operator has paused them. */
import type { Admission, IngestRequest, IngestResult } from '../model/ingest.ts'
import type { IngestControl, PausedPart } from '../model/ingest-observer.ts'
import { type Signal, signals } from '../model/telemetry.ts'

/** A pause lasts until an operator ends it, so clients need not hurry; short enough that they notice the end. */
const pausedRetryMs = 10_000

/** Single pauses that may stand at once; an operator who needs more pauses everything. */
const maxPausedParts = 1_000

export class IngestGate implements Admission, IngestControl {
  readonly #next: Admission
  readonly #parts = new Map<string, PausedPart>()
  readonly #listeners: (() => void)[] = []

  constructor(next: Admission) {
    this.#next = next
  }

  submit(request: IngestRequest): Promise<IngestResult> {
    if (this.#parts.size > 0 && this.#isPaused(request.signal, request.tenant)) {
      return Promise.resolve({
        outcome: 'retry',
        reason: 'paused',
        retryAfterMs: pausedRetryMs,
        message: `${request.signal} are paused by an operator; nothing is lost if you send again`,
      })
    }
    return this.#next.submit(request)
  }

  /** Does nothing once `maxPausedParts` are paused, unless the part is everything of a signal. */
  pause(part: PausedPart): void {
    if (this.#parts.size >= maxPausedParts && part.tenant !== null) return
    this.#parts.set(keyOf(part), part)
    this.#announce()
  }

  resume(part: PausedPart): void {
    for (const [key, paused] of this.#parts) {
      const covered =
        (part.signal === null || part.signal === paused.signal) &&
        (part.tenant === null || part.tenant === paused.tenant)
      if (covered) this.#parts.delete(key)
    }
    this.#announce()
  }

  paused(): readonly PausedPart[] {
    return [...this.#parts.values()]
  }

  /** Whether a signal is paused for all tenants; that is what health checks answer for. */
  isSignalPaused(signal: Signal): boolean {
    return (
      this.#parts.has(keyOf({ signal: null, tenant: null })) ||
      this.#parts.has(keyOf({ signal, tenant: null }))
    )
  }

  isEverythingPaused(): boolean {
    return signals.every(signal => this.isSignalPaused(signal))
  }

  /** Called after every change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  #isPaused(signal: Signal, tenant: string): boolean {
    return (
      this.isSignalPaused(signal) ||
      this.#parts.has(keyOf({ signal: null, tenant })) ||
      this.#parts.has(keyOf({ signal, tenant }))
    )
  }

  #announce(): void {
    for (const listener of this.#listeners) listener()
  }
}

function keyOf(part: PausedPart): string {
  return `${part.signal ?? ''}\n${part.tenant ?? ''}`
}
