/** grpc.health.v1 for the three collector services and for the server as a whole (the empty name). */
import type { Server } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import type { PauseScope } from '../model/ingest-observer.ts'
import { type Signal, signals } from '../model/telemetry.ts'
import { serviceNameOf } from './grpc-export.ts'

/** How soon clients that watch learn of a pause; one that asks gets the truth of the moment. */
const watchEveryMs = 500

export class GrpcHealth {
  readonly #pauses: () => readonly PauseScope[]
  readonly #health = new HealthImplementation()
  #serving = new Map<string, boolean>()
  #timer: NodeJS.Timeout | undefined
  #draining = false

  /** `pauses`: those in force. One of a single tenant does not count, the others are served. */
  constructor(pauses: () => readonly PauseScope[]) {
    this.#pauses = pauses
    this.update()
  }

  addTo(server: Server): void {
    this.#health.addToServer(server)
  }

  start(): void {
    this.#timer = setInterval(() => this.update(), watchEveryMs)
    this.#timer.unref()
  }

  /** From now on everything is NOT_SERVING; watchers are told. */
  drain(): void {
    clearInterval(this.#timer)
    this.#draining = true
    this.update()
  }

  /** To be called before a client is answered. */
  update(): void {
    const pauses = this.#draining ? [{}] : this.#pauses()
    const open = signals.filter(signal => !isPaused(signal, pauses))
    this.#set('', open.length > 0)
    for (const signal of signals) this.#set(serviceNameOf(signal), open.includes(signal))
  }

  #set(service: string, serving: boolean): void {
    if (this.#serving.get(service) === serving) return
    this.#serving.set(service, serving)
    this.#health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING')
  }
}

function isPaused(signal: Signal, pauses: readonly PauseScope[]): boolean {
  return pauses.some(
    pause => pause.tenant === undefined && (pause.signal === undefined || pause.signal === signal),
  )
}
