/**
 * The OTLP/gRPC listener. It needs no check of Host and Origin: pages cannot speak HTTP/2 without TLS to a
 * server that offers nothing else.
 */

import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { listenFailure } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Authenticator } from '../model/auth.ts'
import type { Admission } from '../model/ingest.ts'
import type { IngestObserver, PauseScope } from '../model/ingest-observer.ts'
import { signals } from '../model/telemetry.ts'
import type { Clock } from '../model/time.ts'
import { otlpFileDescriptors } from '../otlp/fields/file-descriptors.ts'
import { exportDefinition, exportHandler, exportPaths } from './grpc-export.ts'
import { GrpcHealth } from './grpc-health.ts'
import { GrpcIntake } from './grpc-intake.ts'
import { addReflection } from './grpc-reflection.ts'
import type { ReceiveBudget } from './receive-budget.ts'

/** Room for the 2,000 stuck sockets a fault may bring, and for every service of a large system beside them. */
const maxConnections = 10_000

/** Connections that may wait to be accepted: after a restart every exporter comes back at once. */
const backlog = 4_096

/** Answers are a few bytes; the specification allows 4 MiB. */
const maxSendBytes = 4 * 1024 * 1024

/** Dead peers are noticed within two minutes although TCP itself would wait for hours. */
const keepAliveMs = 60_000
const keepAliveTimeoutMs = 20_000

/** Exporters send at least once a minute; a connection idle for this long has been forgotten. */
const idleMs = 15 * 60_000

/** A client says "PRI * HTTP/2.0" at once; these are the bytes of that preface. */
const prefaceBytes = 24

export interface GrpcReceiverOptions {
  readonly address: string
  /** 0 picks a free port. */
  readonly port: number
  readonly admission: Admission
  /** Pauses in force, for the health service. */
  readonly pauses: () => readonly PauseScope[]
  readonly authenticator: Authenticator
  readonly observer: IngestObserver
  readonly budget: ReceiveBudget
  readonly clock: Clock
  readonly logger: Logger
  /** Largest message, before and after decompression. */
  readonly maxReceiveBytes: number
  readonly maxConcurrentStreams: number
  /** How long a message, and the first sign of life of a connection, may take. */
  readonly receiveTimeoutMs: number
  /** How long `stop` waits for calls in flight. */
  readonly drainDeadlineMs: number
}

export class GrpcReceiver {
  readonly name = 'otlp grpc receiver'
  readonly #options: GrpcReceiverOptions
  readonly #intake: GrpcIntake
  readonly #health: GrpcHealth
  readonly #grpc: Server
  readonly #listener: NetServer
  readonly #injector: ReturnType<Server['createConnectionInjector']>
  readonly #sockets = new Set<Socket>()
  #stopping: Promise<void> | null = null

  constructor(options: GrpcReceiverOptions) {
    this.#options = options
    this.#intake = new GrpcIntake({
      ...options,
      signalByPath: exportPaths,
      beforeHealth: () => this.#health.update(),
    })
    this.#health = new GrpcHealth(options.pauses)
    this.#grpc = new Server({
      'grpc.max_receive_message_length': options.maxReceiveBytes,
      'grpc.max_send_message_length': maxSendBytes,
      'grpc.max_concurrent_streams': options.maxConcurrentStreams,
      'grpc.keepalive_time_ms': keepAliveMs,
      'grpc.keepalive_timeout_ms': keepAliveTimeoutMs,
      'grpc.max_connection_idle_ms': idleMs,
      'grpc.enable_channelz': 0,
      interceptors: [this.#intake.interceptor],
    })
    const handler = { ...options, intake: this.#intake }
    for (const signal of signals) {
      this.#grpc.addService(exportDefinition(signal), { Export: exportHandler(signal, handler) })
    }
    this.#health.addTo(this.#grpc)
    addReflection(this.#grpc, otlpFileDescriptors())
    // Listening ourselves gives what grpc-js has no option for: a bound on connections, the reason a port
    // could not be opened, and an end for sockets that never speak.
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure())
    this.#listener = createServer({ noDelay: true }, socket => this.#take(socket))
    this.#listener.maxConnections = maxConnections
  }

  /** Resolves with the chosen port. Rejects with ConfigurationError if it cannot be opened. */
  async start(): Promise<{ readonly port: number }> {
    const { address, port, logger } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', cause =>
        reject(listenFailure({ kind: 'gRPC', address, port, setting: 'GRPC_PORT' }, cause)),
      )
      this.#listener.listen({ port, host: address, backlog }, resolve)
    })
    this.#health.start()
    const bound = this.#listener.address()
    const chosen = typeof bound === 'object' && bound !== null ? bound.port : port
    logger.info({ event: 'otlp_receiver_started', transport: 'grpc', address, port: chosen }, 'OTLP/gRPC')
    return { port: chosen }
  }

  /** Health says NOT_SERVING, clients are sent away (GOAWAY), calls in flight finish until the deadline. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain()
    return this.#stopping
  }

  async #drain(): Promise<void> {
    this.#health.drain()
    const closed = new Promise<void>(resolve => {
      if (this.#listener.listening) this.#listener.close(() => resolve())
      else resolve()
    })
    this.#injector.drain(this.#options.drainDeadlineMs)
    this.#intake.endOtherCalls()
    const timer = setTimeout(() => this.#closeSockets(), this.#options.drainDeadlineMs)
    await closed // when the last connection is gone
    clearTimeout(timer)
    this.#grpc.forceShutdown()
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket)
    const timer = setTimeout(() => {
      if (socket.bytesRead < prefaceBytes) socket.destroy()
    }, this.#options.receiveTimeoutMs)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#sockets.delete(socket)
    })
    this.#injector.injectConnection(socket)
  }

  #closeSockets(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
