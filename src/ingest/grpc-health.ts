/** grpc.health.v1 for the three collector services and for the server as a whole (the empty name). */
import type { Server } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import { signals } from '../model/telemetry.ts'
import { serviceNameOf } from './grpc-export.ts'
import type { IngestGate } from './ingest-gate.ts'

export class GrpcHealth {
  readonly #gate: IngestGate
  readonly #health = new HealthImplementation()
  #draining = false

  constructor(gate: IngestGate) {
    this.#gate = gate
    gate.onChange(() => this.#update())
    this.#update()
  }

  addTo(server: Server): void {
    this.#health.addToServer(server)
  }

  /** From now on everything is NOT_SERVING; watchers are told. */
  drain(): void {
    this.#draining = true
    this.#update()
  }

  #update(): void {
    this.#set('', !this.#gate.isEverythingPaused())
    for (const signal of signals) this.#set(serviceNameOf(signal), !this.#gate.isSignalPaused(signal))
  }

  #set(service: string, serving: boolean): void {
    this.#health.setStatus(service, serving && !this.#draining ? 'SERVING' : 'NOT_SERVING')
  }
}
