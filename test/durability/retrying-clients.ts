/** Clients that send the same request until it is acknowledged, whatever becomes of the server meanwhile. */
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import type { ServerProcess } from '../../scripts/server-process.ts'
import { logRequest, metricRequest, spanRequest, spanRequestJson } from '../engine/requests.ts'
import type { Ledger } from './ledger.ts'

const itemsPerRequest = 7

interface Kind {
  readonly body: (seed: number, timeMs: number) => Uint8Array
  readonly send: (server: ServerProcess, body: Uint8Array) => Promise<Answer>
}

/** A refusal says when to come back, or does not. */
type Answer = 'stored' | 'told when' | 'not told when'

const json = 'application/json'
const protobuf = 'application/x-protobuf'
const count = itemsPerRequest

/** One of each: signal, encoding, compression, transport. */
const kinds: readonly Kind[] = [
  {
    body: (seed, timeMs) => spanRequest({ seed, spans: count, timeMs }),
    send: overHttp('traces', protobuf),
  },
  {
    body: (seed, timeMs) => spanRequestJson({ seed, spans: count, timeMs }),
    send: overHttp('traces', json),
  },
  {
    body: (seed, timeMs) => gzipSync(logRequest({ seed, lines: count, timeMs })),
    send: overHttp('logs', protobuf, 'gzip'),
  },
  {
    body: (seed, timeMs) => metricRequest({ seed, points: count, timeMs }),
    send: overHttp('metrics', protobuf),
  },
  { body: (seed, timeMs) => spanRequest({ seed, spans: count, timeMs }), send: overGrpc('trace', 'Trace') },
  { body: (seed, timeMs) => logRequest({ seed, lines: count, timeMs }), send: overGrpc('logs', 'Logs') },
  {
    body: (seed, timeMs) => metricRequest({ seed, points: count, timeMs }),
    send: overGrpc('metrics', 'Metrics'),
  },
]

export class RetryingClients {
  readonly #ledger: Ledger
  readonly #server: () => ServerProcess | null
  #nextSeed = 1
  #stopping = false
  readonly #running: Promise<void>[]

  readonly #refusedMs: number
  readonly #restMs: number

  /**
   * `server` is the one that runs now, or null. Who is refused waits `refusedMs`, whatever it was told;
   * who is not rests `restMs`.
   */
  constructor(
    ledger: Ledger,
    perKind: number,
    server: () => ServerProcess | null,
    refusedMs = 10,
    restMs = 0,
  ) {
    this.#restMs = restMs
    this.#refusedMs = refusedMs
    this.#ledger = ledger
    this.#server = server
    this.#running = kinds.flatMap(kind => Array.from({ length: perKind }, () => this.#run(kind)))
  }

  /** Every client finishes the request it is at. */
  async finish(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running)
  }

  async #run(kind: Kind): Promise<void> {
    while (!this.#stopping) {
      const seed = this.#nextSeed++
      const timeMs = Date.now()
      const body = kind.body(seed, timeMs)
      const names = Array.from({ length: itemsPerRequest }, (_, i) => `${seed}-${i}`)
      this.#ledger.send(names)
      while (!(await this.#try(kind, body))) await pause(10)
      this.#ledger.acknowledge(names, timeMs)
      if (this.#restMs > 0) await pause(this.#restMs)
    }
  }

  async #try(kind: Kind, body: Uint8Array): Promise<boolean> {
    const server = this.#server()
    if (server === null) return false
    try {
      const answer = await kind.send(server, body)
      if (answer === 'stored') return true
      this.#ledger.refusals++
      if (answer === 'not told when') this.#ledger.refusalsWithoutTime++
      await pause(this.#refusedMs)
      return false
    } catch {
      // The server went away before it answered; the request is sent again.
      this.#ledger.requestsCutOff++
      return false
    }
  }
}

function overHttp(signal: string, type: string, encoding?: string): Kind['send'] {
  const headers = {
    'content-type': type,
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  }
  return async (server, body) => {
    const response = await fetch(`${server.otlpHttpUrl}/v1/${signal}`, {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(10_000),
    })
    await response.arrayBuffer()
    if (response.status !== 200 && response.status !== 429 && response.status !== 503) {
      throw new Error(`status ${response.status} does not let a client try again`)
    }
    if (response.status === 200) return 'stored'
    return response.headers.get('retry-after') === null ? 'not told when' : 'told when'
  }
}

function overGrpc(area: string, service: string): Kind['send'] {
  const path = `/opentelemetry.proto.collector.${area}.v1.${service}Service/Export`
  const same = (bytes: Buffer): Buffer => bytes
  const clients = new Map<string, Client>()
  return (server, body) =>
    new Promise((resolve, reject) => {
      let client = clients.get(server.grpcAddress)
      if (client === undefined) {
        for (const old of clients.values()) old.close()
        clients.clear()
        client = new Client(server.grpcAddress, credentials.createInsecure())
        clients.set(server.grpcAddress, client)
      }
      const deadline = Date.now() + 10_000
      client.makeUnaryRequest(path, same, same, Buffer.from(body), new Metadata(), { deadline }, error => {
        if (error === null) resolve('stored')
        // Only a server that is there says more than the code.
        else if (error.metadata.get('grpc-status-details-bin').length > 0) resolve('told when')
        else if (error.code === status.RESOURCE_EXHAUSTED) resolve('not told when')
        else reject(error)
      })
    })
}
