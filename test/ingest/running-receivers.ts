/**
 * The receivers on free ports before a real inbox on a real file. What comes to the inbox is noted on the way;
 * a test may also say what the inbox answers, to see how each answer is told to a client.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InboxClient } from '../../src/engine/inbox/inbox-client.ts'
import { GrpcReceiver, type GrpcReceiverOptions } from '../../src/ingest/grpc-receiver.ts'
import { createOtlpHttpHandler } from '../../src/ingest/http-handler.ts'
import { ReceiveBudget } from '../../src/ingest/receive-budget.ts'
import { createLogger } from '../../src/logger.ts'
import type { Admission, IngestRequest, IngestResult } from '../../src/model/ingest.ts'
import type { PauseScope } from '../../src/model/ingest-observer.ts'
import { systemClock } from '../../src/model/time.ts'
import { KeyAuthenticator, type KeyAuthenticatorOptions } from '../../src/server/authenticator.ts'
import { HttpFront, type HttpFrontOptions } from '../../src/server/http-front.ts'
import { IngestCounters } from '../../src/server/ingest-counters.ts'
import { OwnMetrics } from '../../src/server/own-metrics.ts'
import { RateLimit } from '../../src/server/rate-limit.ts'

const mebibyte = 1024 * 1024

export interface ReceiverChanges {
  readonly auth?: Partial<KeyAuthenticatorOptions>
  readonly grpc?: Partial<GrpcReceiverOptions>
  readonly http?: Partial<HttpFrontOptions>
  readonly maxBodyBytes?: number
  readonly budgetBytes?: number
}

export interface NotedRequest extends Omit<IngestRequest, 'body'> {
  /** A copy, in one piece. */
  readonly body: Uint8Array
  /** Null until the inbox has answered. */
  result: IngestResult | null
}

export class RunningReceivers {
  /** Requests that came to the inbox, each with a copy of its body. */
  readonly noted: NotedRequest[] = []
  readonly metrics: OwnMetrics = new OwnMetrics()
  readonly budget: ReceiveBudget
  grpcPort = 0
  httpPort = 0
  otlpPort = 0
  /** When set, the inbox is not asked and this is what it answers. */
  answer: ((request: IngestRequest) => Promise<IngestResult>) | null = null
  readonly #directory: string
  readonly #inbox: InboxClient
  readonly #grpc: GrpcReceiver
  readonly #front: HttpFront

  static async start(changes: ReceiverChanges = {}): Promise<RunningReceivers> {
    const directory = mkdtempSync(join(tmpdir(), 'receivers-'))
    const inbox = await InboxClient.start({
      inbox: {
        file: join(directory, 'inbox.db'),
        maxBytes: 1024 * mebibyte,
        keepSealedMs: 0,
        decompressionBudgetBytes: 128 * mebibyte,
        attributeMaxBytes: 65_536,
        trustResourceTenant: false,
      },
      maxWaitingRequests: 50_000,
      maxWaitingBytes: 128 * mebibyte,
      logger: createLogger('SILENT'),
      onWorker: () => undefined,
      onFatal: error => {
        throw error
      },
    })
    const receivers = new RunningReceivers(inbox, directory, changes)
    try {
      receivers.grpcPort = (await receivers.#grpc.start()).port
      const { port, otlpPort } = await receivers.#front.start()
      receivers.httpPort = port
      receivers.otlpPort = otlpPort ?? 0
      return receivers
    } catch (error) {
      // Stops what has not been started as well, as the process would.
      await receivers.stop()
      throw error
    }
  }

  private constructor(inbox: InboxClient, directory: string, changes: ReceiverChanges) {
    this.#inbox = inbox
    this.#directory = directory
    this.budget = new ReceiveBudget(changes.budgetBytes ?? 128 * mebibyte)
    const counters = new IngestCounters(this.metrics, systemClock)
    const shared = {
      admission: { submit: request => this.#submit(request) } satisfies Admission,
      authenticator: new KeyAuthenticator({
        keys: [],
        keyRequired: false,
        defaultTenant: 'default',
        clock: systemClock,
        ...changes.auth,
      }),
      observer: counters,
      budget: this.budget,
      clock: systemClock,
      logger: createLogger('SILENT'),
    }
    this.#grpc = new GrpcReceiver({
      ...shared,
      address: '127.0.0.1',
      port: 0,
      pauses: () => inbox.gate.pauses(),
      maxReceiveBytes: 4 * mebibyte,
      maxConcurrentStreams: 1000,
      receiveTimeoutMs: 30_000,
      drainDeadlineMs: 2_000,
      ...changes.grpc,
    })
    this.#front = new HttpFront({
      ...shared,
      bindAddress: '127.0.0.1',
      httpPort: 0,
      otlpPort: 0,
      allowedHosts: [],
      keyRequired: false,
      allowedOrigins: [],
      otlp: createOtlpHttpHandler({ ...shared, maxBodyBytes: changes.maxBodyBytes ?? 8 * mebibyte }),
      mcp: { path: null, handle: async () => undefined },
      health: { report: async () => ({ inbox: { status: 'ok', detail: '', figures: {} } }) },
      admin: {
        control: inbox.gate,
        counters,
        ingestCounters: () => inbox.ingestCounters(),
        pipeline: async () => ({
          queueSize: { traces: 0, logs: 0, metrics: 0 },
          queueCapacityBytes: 0,
          maxUtilizationPercent: 0,
          recordsProduced: 0,
          lag: 0,
        }),
        exportTelemetry: async (_query, _request, response) => {
          response.end('{}\n')
        },
        logger: shared.logger,
      },
      metrics: this.metrics,
      rateLimit: new RateLimit(1_000, systemClock),
      receiveTimeoutMs: 30_000,
      drainDeadlineMs: 2_000,
      ...changes.http,
    })
  }

  get inbox(): InboxClient {
    return this.#inbox
  }

  get grpcAddress(): string {
    return `127.0.0.1:${this.grpcPort}`
  }

  get otlpUrl(): string {
    return `http://127.0.0.1:${this.otlpPort}`
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.httpPort}`
  }

  pause(scope: PauseScope): void {
    this.#inbox.gate.pause(scope)
  }

  /** Value of one line of the metrics text, such as `name{reason="too_large"}`. */
  async metric(series: string): Promise<number> {
    const line = (await this.metrics.text()).split('\n').find(text => text.startsWith(`${series} `))
    if (line === undefined) throw new Error(`no metric ${series}`)
    return Number(line.slice(series.length + 1))
  }

  stopGrpc(): Promise<void> {
    return this.#grpc.stop()
  }

  stopHttp(): Promise<void> {
    return this.#front.stop()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#grpc.stop(), this.#front.stop()])
    await this.#inbox.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #submit(request: IngestRequest): Promise<IngestResult> {
    const noted: NotedRequest = {
      ...request,
      body: new Uint8Array(Buffer.concat(request.body)),
      result: null,
    }
    this.noted.push(noted)
    noted.result = await (this.answer === null ? this.#inbox.submit(request) : this.answer(request))
    return noted.result
  }
}
