/** Writes the ingest events operators grep for: every request at debug, refusals at warn but few of them. */
import type { Logger } from '../logger.ts'
import type { IngestResult, Transport } from '../model/ingest.ts'
import type { EdgeRefusal, IngestObserver, ObservedRequest } from '../model/ingest-observer.ts'
import type { Signal } from '../model/telemetry.ts'
import type { Clock } from '../model/time.ts'

/** A fault refuses thousands of requests a second; one line a signal and reason in this time tells it all. */
const warnEveryMs = 10_000

const receivedEvents: Readonly<Record<Signal, string>> = {
  traces: 'trace_received',
  logs: 'log_received',
  metrics: 'metric_received',
}
const droppedEvents: Readonly<Record<Signal, string>> = {
  traces: 'trace_dropped',
  logs: 'log_dropped',
  metrics: 'metric_dropped',
}

interface Quiet {
  untilMs: number
  suppressed: number
}

export class IngestJournal implements IngestObserver {
  readonly #logger: Logger
  readonly #clock: Clock
  /** By signal and reason, both from lists of ours, so it stays small. */
  readonly #quiet = new Map<string, Quiet>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  answered(request: ObservedRequest, result: IngestResult): void {
    const { tenant, signal, transport, bytes } = request
    if (result.outcome === 'accepted') {
      const { accepted, rejected } = result
      this.#logger.debug(
        { event: receivedEvents[signal], tenant, transport, bytes, accepted, rejected },
        'received',
      )
      return
    }
    this.#warn(signal, result.reason, transport, result.message)
  }

  refused(reason: EdgeRefusal, signal: Signal | null, transport: Transport): void {
    if (signal !== null) this.#warn(signal, reason, transport, '')
  }

  #warn(signal: Signal, reason: string, transport: Transport, detail: string): void {
    const nowMs = this.#clock.now()
    const key = `${signal} ${reason}`
    const quiet = this.#quiet.get(key) ?? { untilMs: 0, suppressed: 0 }
    this.#quiet.set(key, quiet)
    if (nowMs < quiet.untilMs) {
      quiet.suppressed++
      return
    }
    const { suppressed } = quiet
    quiet.untilMs = nowMs + warnEveryMs
    quiet.suppressed = 0
    this.#logger.warn({ event: droppedEvents[signal], reason, transport, detail, suppressed }, 'not taken')
  }
}

/** Reports to all of them, in order. */
export function observeAll(observers: readonly IngestObserver[]): IngestObserver {
  return {
    answered: (request, result) => {
      for (const observer of observers) observer.answered(request, result)
    },
    refused: (reason, signal, transport) => {
      for (const observer of observers) observer.refused(reason, signal, transport)
    },
  }
}
