/** Who may send now: pauses by signal and tenant, and draining. */
import type { IngestResult } from '../../model/ingest.ts'
import type { IngestControl, PauseScope } from '../../model/ingest-observer.ts'
import type { Signal } from '../../model/telemetry.ts'

/** A sender that is paused comes back this often; a minute of silence is what an operator notices. */
const pausedRetryMs = 30_000
const drainingRetryMs = 5_000

/** Pauses in force at most; each is set by an operator. */
const maxPauses = 1_000

export class AdmissionGate implements IngestControl {
  readonly #paused = new Map<string, PauseScope>()
  #draining = false

  get draining(): boolean {
    return this.#draining
  }

  /** Pauses in force. */
  pauses(): readonly PauseScope[] {
    return [...this.#paused.values()]
  }

  /** Returns false if so many pauses are in force that another one is refused. */
  pause(scope: PauseScope): boolean {
    if (this.#paused.size >= maxPauses) return false
    this.#paused.set(keyOf(scope), scope)
    return true
  }

  /** Takes back the pause of exactly this scope; everything, if no part is given. */
  resume(scope: PauseScope): void {
    if (scope.signal === undefined && scope.tenant === undefined) this.#paused.clear()
    else this.#paused.delete(keyOf(scope))
  }

  drain(): void {
    this.#draining = true
  }

  /** Why a request may not pass now, or null. */
  refusal(signal: Signal, tenant: string): IngestResult | null {
    if (this.#draining) {
      return {
        outcome: 'retry',
        reason: 'draining',
        retryAfterMs: drainingRetryMs,
        message: 'this server is shutting down',
      }
    }
    if (this.#paused.size === 0) return null
    const scopes: readonly PauseScope[] = [{}, { signal }, { tenant }, { signal, tenant }]
    if (!scopes.some(scope => this.#paused.has(keyOf(scope)))) return null
    return {
      outcome: 'retry',
      reason: 'paused',
      retryAfterMs: pausedRetryMs,
      message: `an operator has paused ${signal} of this tenant`,
    }
  }
}

function keyOf(scope: PauseScope): string {
  return JSON.stringify([scope.signal ?? null, scope.tenant ?? null])
}
