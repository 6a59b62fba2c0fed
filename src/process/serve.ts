/** Puts the parts of the server together: engine, query pool, receivers, front. Nothing here decides anything else. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Configuration } from '../config.ts'
import { type Engine, startEngine } from '../engine/engine.ts'
import { acquireOwnership, type Ownership } from '../engine/owner/ownership.ts'
import { HeapGrowth } from '../heap-flags.ts'
import { GrpcReceiver } from '../ingest/grpc-receiver.ts'
import { createOtlpHttpHandler } from '../ingest/http-handler.ts'
import { ReceiveBudget } from '../ingest/receive-budget.ts'
import { Lifecycle } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import { createMcpHttpHandler } from '../mcp/http.ts'
import { ownerPrincipal } from '../model/auth.ts'
import type { Receiver } from '../model/receiver.ts'
import { systemClock } from '../model/time.ts'
import type { ToolRunner } from '../model/tool.ts'
import { createQueryPool, type QueryPool, type QueryPoolOptions } from '../query/pool.ts'
import type { QueryWorkerSettings } from '../query/worker.ts'
import { KeyAuthenticator } from '../server/authenticator.ts'
import { HttpFront } from '../server/http-front.ts'
import { IngestCounters } from '../server/ingest-counters.ts'
import { ingestFigureSource } from '../server/ingest-figures.ts'
import { IngestJournal, observeAll } from '../server/ingest-journal.ts'
import { OwnMetrics } from '../server/own-metrics.ts'
import { RateLimit } from '../server/rate-limit.ts'
import { CacheRelief } from './cache-relief.ts'
import { caughtUp } from './caught-up.ts'
import { countedRunner } from './counted-runner.ts'
import { engineSamples, pipelineFigures } from './engine-metrics.ts'
import { createExportRoute } from './export-route.ts'
import { createHealth } from './health.ts'

const mebibyte = 1024 * 1024
/** How often the size of the process decides how much heaps may grow. */
const lookAtMemoryMs = 500
/** How long a sender may take over one request; slower ones only hold sockets. */
const receiveTimeoutMs = 30_000
/** What a stop leaves to requests in flight; engine and inbox need the rest of the ten seconds. */
const drainDeadlineMs = 2_000
/** An export of everything takes as long as it takes; this bounds one that hangs. */
const exportTimeoutMs = 60 * 60_000
const maxExports = 2
/** Hours of a busy system; more helps nobody who does not look at its alerts. */
const maxInboxBytes = 4 * 1024 * mebibyte

export interface ServeOptions {
  readonly configuration: Configuration
  readonly version: string
  readonly logger: Logger
  /** `configured`, or `free` loopback ports whatever is configured. */
  readonly ports: 'configured' | 'free'
}

export interface RunningServer {
  /** Without a trailing slash; reachable from this machine. */
  readonly url: string
  /** Of the data directory; whoever can read its files is an operator. */
  /** `host:port` of OTLP/gRPC. */
  readonly grpcAddress: string
  readonly token: string
  readonly runner: ToolRunner
  /** Rejects when a part fails for good. */
  readonly failed: Promise<never>
  stop(reason: string): Promise<void>
}

/** Rejects with ConfigurationError, a sentence per problem, if it cannot own the directory, open a file or listen. */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { configuration, logger } = options
  const lifecycle = new Lifecycle(logger)
  for (const warning of configuration.warnings) logger.warn({ event: 'configuration' }, warning)
  try {
    const ownership = acquireOwnership(configuration.dataDirectory)
    lifecycle.register({ name: 'owner lock', stop: async () => ownership.release() })
    return await startOwned(options, ownership, lifecycle)
  } catch (error) {
    await lifecycle.stop('failed to start')
    throw error
  }
}

async function startOwned(
  options: ServeOptions,
  ownership: Ownership,
  lifecycle: Lifecycle,
): Promise<RunningServer> {
  const { configuration, logger } = options
  logger.info(
    { event: 'task_starting', version: options.version, data_directory: configuration.dataDirectory },
    'starting',
  )
  const failure = Promise.withResolvers<never>()
  // Whoever waits for it hears of it; until then it must not end the process as an unhandled rejection.
  failure.promise.catch(() => undefined)
  const engine = await startEngine(engineOptions(configuration, logger, error => failure.reject(error)))
  lifecycle.register({ name: 'engine', stop: () => engine.stop() })

  const metrics = new OwnMetrics()
  const receivers: Receiver[] = []
  const pools = createPools(configuration, engine, logger, receivers)
  for (const pool of [pools.tools, pools.exports])
    lifecycle.register({ name: 'query pool', stop: () => pool.stop() })
  const looking = watchMemory([pools.tools, pools.exports])
  lifecycle.register({ name: 'memory watch', stop: async () => clearInterval(looking) })
  const runner = countedRunner(pools.tools, metrics)

  const edge = createEdge({
    ...options,
    engine,
    metrics,
    runner,
    exports: pools.exports,
    token: ownership.token,
  })
  const { port: httpPort, otlpPort } = await edge.front.start()
  lifecycle.register(edge.front)
  const grpc = await edge.grpc.start()
  lifecycle.register(edge.grpc)
  pools.tools.start()

  const host = reachableHost(edge.address)
  const url = `http://${host}:${httpPort}`
  const grpcAddress = `${host}:${grpc.port}`
  const problem =
    options.ports === 'free'
      ? 'the configured ports are in use or were not wanted: what is sent to them goes elsewhere'
      : ''
  receivers.push(
    { transport: 'grpc', address: grpcAddress, problem },
    { transport: 'http', address: `${host}:${otlpPort ?? httpPort}`, problem },
  )
  ownership.announce(url, grpcAddress)
  logger.info(
    {
      event: 'ready',
      http_url: url,
      otlp_http_url: `http://${host}:${otlpPort ?? httpPort}`,
      grpc_address: grpcAddress,
      mcp: configuration.values.MCP_ENABLED ? `${url}${configuration.values.MCP_PATH}` : null,
    },
    'ready',
  )
  return {
    url,
    grpcAddress,
    token: ownership.token,
    runner,
    failed: failure.promise,
    stop: reason => lifecycle.stop(reason),
  }
}

function engineOptions(configuration: Configuration, logger: Logger, onFatal: (error: Error) => void) {
  const { values, dataDirectory } = configuration
  const days = values.HOT_RETENTION_DAYS
  const diskBudgetBytes = values.DATA_DISK_BUDGET_MB === null ? null : values.DATA_DISK_BUDGET_MB * mebibyte
  return {
    inboxFile: join(dataDirectory, 'inbox.db'),
    store: configuration.store,
    deadLetters: {
      directory: configuration.deadLetterDirectory,
      maxFiles: values.DLQ_MAX_FILES,
      maxBytes: values.DLQ_MAX_DISK_MB * mebibyte,
    },
    inboxMaxBytes: values.INBOX_MAX_BYTES ?? inboxShare(diskBudgetBytes),
    inboxKeepSealedMs: values.INBOX_KEEP_SEALED,
    decompressionBudgetBytes: values.DECOMPRESSION_BUDGET_MB * mebibyte,
    attributeMaxBytes: values.ATTRIBUTE_MAX_BYTES,
    trustResourceTenant: values.OTLP_TRUST_RESOURCE_TENANT,
    maxWaitingRequests: values.INGEST_PIPELINE_QUEUE_SIZE,
    maxWaitingBytes: values.INGEST_PIPELINE_MAX_BYTES,
    retentionDays: {
      traces: values.RETENTION_TRACES_DAYS ?? days,
      logs: values.RETENTION_LOGS_DAYS ?? days,
      metrics: values.RETENTION_METRICS_DAYS ?? days,
    },
    diskBudgetBytes,
    graphLimits: {
      metricSeries: values.METRIC_MAX_CARDINALITY_PER_TENANT || values.METRIC_MAX_CARDINALITY,
    },
    graphLimitsInAll: { metricSeries: values.METRIC_MAX_CARDINALITY },
    logger,
    onFatal,
  }
}

/** What the inbox may take of a disk budget if nothing else is said; null leaves it to the disk. */
function inboxShare(diskBudgetBytes: number | null): number | null {
  return diskBudgetBytes === null ? null : Math.min(maxInboxBytes, Math.floor(diskBudgetBytes / 4))
}

interface Pools {
  readonly tools: QueryPool
  readonly exports: QueryPool
}

function createPools(
  configuration: Configuration,
  engine: Engine,
  logger: Logger,
  receivers: readonly Receiver[],
): Pools {
  const { values, dataDirectory, store } = configuration
  const exportDirectory = join(dataDirectory, 'exports')
  mkdirSync(exportDirectory, { recursive: true, mode: 0o700 })
  const settings: QueryWorkerSettings = {
    store,
    exportDirectory,
    attributeMaxBytes: values.ATTRIBUTE_MAX_BYTES,
    similarEntries: values.VECTOR_INDEX_MAX_ENTRIES,
  }
  const shared: Pick<QueryPoolOptions, 'settings' | 'connectTail' | 'ingestCounters' | 'logger'> = {
    settings,
    connectTail: port => engine.connectTail(port),
    ingestCounters: async () => engine.ingestCounters(),
    logger,
  }
  return {
    tools: createQueryPool({
      ...shared,
      receivers: () => receivers,
      overflows: () => engine.overflows(),
      maxConcurrent: values.MCP_MAX_CONCURRENT,
      callTimeoutMs: values.MCP_CALL_TIMEOUT_MS,
      cacheTtlMs: values.MCP_CACHE_TTL_MS,
    }),
    exports: createQueryPool({
      ...shared,
      maxConcurrent: maxExports,
      callTimeoutMs: exportTimeoutMs,
      cacheTtlMs: 0,
      workers: 1,
    }),
  }
}

/** Heaps grow less, and caches give back, before the process takes more than it may. */
function watchMemory(pools: readonly QueryPool[]): NodeJS.Timeout {
  const growth = new HeapGrowth()
  const relief = new CacheRelief()
  const look = (): void => {
    const resident = process.memoryUsage.rss()
    growth.observe(resident)
    const share = relief.observe(resident, performance.now())
    for (const pool of pools) {
      pool.oneAtATime(relief.isScarce)
      if (share !== null) pool.shrink(share)
    }
  }
  return setInterval(look, lookAtMemoryMs).unref()
}

interface EdgeParts extends ServeOptions {
  readonly engine: Engine
  readonly metrics: OwnMetrics
  readonly runner: ToolRunner
  readonly exports: QueryPool
  readonly token: string
}

function createEdge(parts: EdgeParts) {
  const { configuration, engine, metrics, logger } = parts
  const { values } = configuration
  const clock = systemClock
  const free = parts.ports === 'free'
  const address = free ? '127.0.0.1' : configuration.bindAddress
  const keys = [{ id: ownerPrincipal, secret: parts.token }]
  if (values.API_KEY !== '') keys.push({ id: 'api-key', secret: values.API_KEY })
  const authenticator = new KeyAuthenticator({
    keys,
    keyRequired: values.API_KEY !== '',
    defaultTenant: values.DEFAULT_TENANT,
    clock,
  })
  const counters = new IngestCounters(metrics, clock)
  const observer = observeAll([counters, new IngestJournal(logger, clock)])
  const budget = new ReceiveBudget(values.INGEST_PIPELINE_MAX_BYTES)
  const pipeline = () => pipelineFigures(engine)
  metrics.addSource(() => engineSamples(engine))
  metrics.addSource(ingestFigureSource(counters, pipeline))
  const receiver = { admission: engine.admission, authenticator, observer, budget, clock, logger }
  const front = new HttpFront({
    httpPort: free ? 0 : values.HTTP_PORT,
    otlpPort: free ? 0 : values.OTLP_HTTP_PORT,
    bindAddress: address,
    allowedHosts: values.ALLOWED_HOSTS,
    keyRequired: values.API_KEY !== '',
    allowedOrigins: values.CORS_ALLOWED_ORIGINS,
    receiveTimeoutMs,
    drainDeadlineMs,
    authenticator,
    otlp: createOtlpHttpHandler({ ...receiver, maxBodyBytes: values.OTLP_HTTP_MAX_BODY_MB * mebibyte }),
    mcp: {
      path: values.MCP_ENABLED ? values.MCP_PATH : null,
      handle: createMcpHttpHandler({
        runner: parts.runner,
        version: parts.version,
        logger,
        toolsets: values.MCP_TOOLSETS,
      }),
    },
    health: createHealth(engine),
    admin: {
      control: engine.control,
      counters,
      ingestCounters: () => engine.ingestCounters(),
      pipeline,
      exportTelemetry: createExportRoute({ runner: parts.exports, clock, caughtUp: () => caughtUp(engine) }),
      logger,
    },
    metrics,
    rateLimit: new RateLimit(values.API_RATE_LIMIT_RPS, clock),
    logger,
  })
  const grpc = new GrpcReceiver({
    ...receiver,
    address,
    port: free ? 0 : values.GRPC_PORT,
    pauses: () => engine.control.pauses(),
    maxReceiveBytes: values.GRPC_MAX_RECV_MB * mebibyte,
    maxConcurrentStreams: values.GRPC_MAX_CONCURRENT_STREAMS,
    receiveTimeoutMs,
    drainDeadlineMs,
  })
  return { front, grpc, address }
}

/** The address under which this machine reaches a listener. */
function reachableHost(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  if (address === '::') return '[::1]'
  return address.includes(':') ? `[${address}]` : address
}
