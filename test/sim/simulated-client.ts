/** A sender that repeats a request until it is told that it is stored, over a network that loses and doubles. */
import { gzipSync } from 'node:zlib'
import type { IngestRequest, IngestResult } from '../../src/model/ingest.ts'
import type { Signal } from '../../src/model/telemetry.ts'
import { logRequest, metricRequest, spanRequest } from '../engine/requests.ts'
import type { World } from './world.ts'

/** What was sent and acknowledged, by tenant and item; kept outside of everything that can crash. */
export class SimLedger {
  readonly sent: Map<string, string> = new Map()
  readonly acknowledged: Map<string, string> = new Map()
  /** Items by the body that carries them, for telling which rows of the inbox they lie in. */
  readonly itemsOfBody: Map<string, readonly string[]> = new Map()
  readonly signalOf: Map<string, Signal> = new Map()
}

export interface ClientOptions {
  readonly world: World
  readonly ledger: SimLedger
  readonly tenant: string
  readonly signal: Signal
  readonly firstSeed: number
  readonly requests: number
  /** The server of the moment; null while there is none. */
  readonly server: () => { submit(request: IngestRequest): Promise<IngestResult> } | null
}

/** Gives up on an answer, and repeats. */
const timeoutMs = 1_500
const refusedMs = 100

export class SimulatedClient {
  readonly #options: ClientOptions
  #next = 0
  #tries = 0

  constructor(options: ClientOptions) {
    this.#options = options
  }

  get done(): boolean {
    return this.#next >= this.#options.requests
  }

  start(): void {
    const { world, requests, firstSeed, signal, tenant, ledger } = this.#options
    if (this.#next >= requests) return
    const seed = firstSeed + this.#next
    const count = 1 + world.choice.below(5)
    const body = bodyOf(signal, seed, count, world.wall.now())
    const compressed = world.choice.chance(0.2)
    const names = Array.from({ length: count }, (_, i) => `${seed}-${i}`)
    for (const name of names) {
      ledger.sent.set(name, tenant)
      ledger.signalOf.set(name, signal)
    }
    const sent = compressed ? gzipSync(body) : body
    ledger.itemsOfBody.set(Buffer.from(sent).toString('latin1'), names)
    this.#send(sent, compressed, names)
  }

  #send(body: Uint8Array, compressed: boolean, names: readonly string[]): void {
    const { world, tenant, signal, ledger } = this.#options
    const attempt = ++this.#tries
    let settled = false
    const again = (ms: number): void => {
      settled = true
      world.time.after(ms, () => this.#send(body, compressed, names))
    }
    world.time.after(timeoutMs, () => {
      if (settled || attempt !== this.#tries) return
      world.count('timeouts')
      again(0)
    })
    const answered = (result: IngestResult | null): void => {
      if (settled || attempt !== this.#tries) return
      if (result === null) again(refusedMs)
      else if (result.outcome === 'retry') {
        world.count(`retry ${result.reason}`)
        if (result.retryAfterMs <= 0) world.find('a refusal does not say when to come back')
        // Half of the senders do not wait as long as they are told.
        again(result.retryAfterMs * (world.choice.chance(0.5) ? 0.1 : 1) * (0.5 + world.choice.next()))
      } else if (result.outcome === 'invalid') world.find(`a sound request is invalid: ${result.message}`)
      else {
        settled = true
        if (result.duplicate) world.count('duplicates')
        if (result.accepted !== names.length)
          world.find(`${result.accepted} of ${names.length} items of a sound request were accepted`)
        for (const name of names) ledger.acknowledged.set(name, tenant)
        this.#next++
        world.time.after(world.delay(150), () => this.start())
      }
    }
    const request = (): IngestRequest => ({
      signal,
      transport: 'http',
      encoding: 'protobuf',
      compression: compressed ? 'gzip' : 'none',
      body: [body.slice()],
      tenant,
      principal: 'key-1',
      peer: '10.0.0.1',
      receivedAtMs: world.wall.now(),
      maxBytes: 4 * 1024 * 1024,
    })
    this.#transmit(() => {
      const server = this.#options.server()
      if (server === null) this.#transmit(() => answered(null))
      // A process that dies before it answers leaves this unsettled.
      else void server.submit(request()).then(result => this.#transmit(() => answered(result)))
    })
  }

  /** One message over the network: lost, late, or twice. */
  #transmit(deliver: () => void): void {
    const { world } = this.#options
    const { dropped, doubled, delayMs } = world.faults
    if (world.chance(dropped)) {
      world.count('lost messages')
      return
    }
    world.time.after(1 + world.delay(world.faulty ? delayMs : 5), deliver)
    if (!world.chance(doubled)) return
    world.count('doubled messages')
    world.time.after(1 + world.delay(delayMs), deliver)
  }
}

function bodyOf(signal: Signal, seed: number, count: number, timeMs: number): Uint8Array {
  switch (signal) {
    case 'traces':
      return spanRequest({ seed, spans: count, timeMs })
    case 'logs':
      return logRequest({ seed, lines: count, timeMs })
    case 'metrics':
      return metricRequest({ seed, points: count, timeMs })
    default:
      return signal satisfies never
  }
}
