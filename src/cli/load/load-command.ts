/** `otelcontext load`: what may be said on the command line, and the load that follows from it. */
import { writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { InvalidInputError } from '../../errors.ts'
import type { Signal } from '../../model/telemetry.ts'
import { renderColumns } from '../columns.ts'
import type { ServerConnection } from '../server-connection.ts'
import { createGrpcSender } from './grpc-sender.ts'
import { createHttpSender } from './http-sender.ts'
import { LedgerWriter } from './ledger.ts'
import { defaultProfile, type LoadProfile, type SignalPlan } from './load-profile.ts'
import type { LoadReport } from './load-report.ts'
import { defaultRetry, type LoadSender } from './load-sender.ts'
import type { LoadEncoding } from './request-template.ts'
import { runLoad, type Stream } from './run-load.ts'
import { createTraffic } from './traffic.ts'

/** As typed; all of them text. */
export interface LoadCommandOptions {
  readonly endpoint?: string
  readonly grpc?: string
  readonly transport: string
  readonly gzip?: boolean
  readonly rate: string
  readonly logsRate?: string
  readonly metricsRate?: string
  readonly duration: string
  readonly warmup: string
  readonly burst?: string
  readonly items?: string
  readonly since?: string
  readonly services: string
  readonly operations: string
  readonly edges?: string
  readonly attributes: string
  readonly batch: string
  readonly batchBy: string
  readonly errors: string
  readonly tenants: string
  readonly tenant?: string
  readonly tenantId?: string
  readonly connections: string
  readonly seed: string
  readonly ledger?: string
  readonly verify?: string
  readonly report?: string
  readonly json?: boolean
}

/** A round holds about so much time, so that ids repeat rarely and a load needs little memory. */
const roundMs = 5_000
/** What an exporter lets a batch wait that does not fill. */
const patienceMs = 1_000
/** Items of one round at most: about 100 MB of requests. */
const maxRoundItems = 200_000
/** Of an open loop; what is due beyond it waits in the load, and its latency tells. */
const maxInFlight = 2_000
const attemptTimeoutMs = 30_000

/** Rates count for one service, except `max`. */
export function addLoadOptions(command: Command): Command {
  return command
    .option('--grpc <address>', 'host:port of OTLP/gRPC, for --transport grpc; default that of the server')
    .addOption(
      new Option('--transport <name>', 'how it is sent').choices(['http', 'json', 'grpc']).default('http'),
    )
    .option('--gzip', 'compress the requests')
    .option('--rate <n>', 'spans a second of each service, or max: as fast as the server takes them', '10')
    .option('--logs-rate <n>', 'log records a second of each service, or max; default none')
    .option('--metrics-rate <n>', 'data points a second of each service, or max; default none')
    .option('--duration <time>', 'how long, such as 60s, 5m', '60s')
    .option('--warmup <time>', 'leave the first part out of the report', '0s')
    .option('--burst <NxSECONDS>', 'N times the rate for so many seconds in the middle, such as 10x30')
    .option('--items <n>', 'end after so many items of each signal')
    .option('--since <time>', 'let item times begin so long ago and reach now at the end, such as 6h')
    .option('--services <n>', 'services', String(defaultProfile.services))
    .option('--operations <n>', 'operations of each service', String(defaultProfile.operations))
    .option('--edges <n>', 'pairs of services that call each other; default three a service')
    .option('--attributes <n>', 'attributes of each span', String(defaultProfile.attributes))
    .option('--errors <percent>', 'failed traces', String(defaultProfile.errorShare * 100))
    .option('--batch <n>', 'items of one request', String(defaultProfile.batch))
    .addOption(
      new Option('--batch-by <what>', 'requests of one service each, or of all, as a collector sends')
        .choices(['service', 'collector'])
        .default(defaultProfile.batchBy),
    )
    .option('--tenants <n>', 'tenants that take turns (operators)', '1')
    .option('--tenant-id <name>', 'the same as --tenant; with --tenants the start of their names')
    .option('--connections <n>', 'connections', '8')
    .option('--seed <n>', 'the same seed sends the same items but for their ids and times', '1')
    .option('--ledger <file>', 'write down what is acknowledged')
    .option('--verify <ledger>', 'send nothing: compare a ledger with what is stored')
    .option('--report <file>', 'write the report to a file, as JSON')
}

/** The whole load of one command line. Throws InvalidInputError for what makes no sense. */
export interface LoadOrder {
  readonly profile: LoadProfile
  readonly plans: readonly SignalPlan[]
  readonly rates: Readonly<Record<Signal, Rate>>
  readonly encoding: LoadEncoding
  readonly durationMs: number
  readonly warmUpMs: number
  readonly sinceMs: number
  readonly burst: { readonly factor: number; readonly seconds: number } | null
  readonly maxItems: number | null
  readonly tenants: readonly string[]
  readonly connections: number
}

/** Items a second of all services, `max`, or 0 for none of that signal. */
type Rate = number | 'max'

export function loadOrder(options: LoadCommandOptions): LoadOrder {
  const services = whole('services', options.services, 1, 10_000)
  const profile: LoadProfile = {
    seed: whole('seed', options.seed, 0, 2 ** 31),
    services,
    operations: whole('operations', options.operations, 1, 10_000),
    edges: options.edges === undefined ? services * 3 : whole('edges', options.edges, 0, 1_000_000),
    attributes: whole('attributes', options.attributes, 0, 200),
    spansPerTrace: defaultProfile.spansPerTrace,
    errorShare: amount('errors', options.errors, 100) / 100,
    batch: whole('batch', options.batch, 1, 10_000),
    batchBy: options.batchBy === 'collector' ? 'collector' : 'service',
    metricSeries: defaultProfile.metricSeries,
  }
  const rates: Record<Signal, Rate> = {
    traces: rateOf('rate', options.rate, services),
    logs: rateOf('logs-rate', options.logsRate, services),
    metrics: rateOf('metrics-rate', options.metricsRate, services),
  }
  const durationMs = duration('duration', options.duration)
  const sinceMs = options.since === undefined ? 0 : duration('since', options.since)
  const maxItems = options.items === undefined ? null : whole('items', options.items, 1, 1e12)
  const burst = options.burst === undefined ? null : burstOf(options.burst)
  const plans = (Object.entries(rates) as [Signal, Rate][])
    .filter(([, rate]) => rate !== 0)
    .map(([signal, rate]) => planOf(signal, rate, profile, { durationMs, sinceMs, maxItems, burst }))
  const name = options.tenantId ?? options.tenant ?? ''
  const tenantCount = whole('tenants', options.tenants, 1, 10_000)
  return {
    profile,
    plans,
    rates,
    encoding: options.transport === 'json' ? 'json' : 'protobuf',
    durationMs,
    warmUpMs: duration('warmup', options.warmup),
    sinceMs,
    burst,
    maxItems,
    tenants:
      tenantCount === 1 ? [name] : Array.from({ length: tenantCount }, (_, n) => `${name || 'load'}-${n}`),
    connections: whole('connections', options.connections, 1, 1_000),
  }
}

interface Extent {
  readonly durationMs: number
  readonly sinceMs: number
  readonly maxItems: number | null
  readonly burst: LoadOrder['burst']
}

function planOf(signal: Signal, rate: Rate, profile: LoadProfile, extent: Extent): SignalPlan {
  // Every service and every edge comes up in each round.
  const least =
    signal === 'metrics'
      ? profile.services * profile.metricSeries
      : signal === 'traces'
        ? Math.max(profile.services * 10, profile.edges * 3)
        : profile.services
  const wanted = rate === 'max' ? 20_000 : (rate * roundMs) / 1_000
  const items = Math.round(Math.min(Math.max(wanted, least), Math.max(maxRoundItems, least)))
  const burstMs = extent.burst === null ? 0 : extent.burst.seconds * 1_000 * (extent.burst.factor - 1)
  const all = rate === 'max' ? extent.maxItems : (rate * (extent.durationMs + burstMs)) / 1_000
  if (rate === 'max') {
    const rounds = all === null ? null : Math.max(1, all / items)
    return {
      signal,
      items,
      spanMs: extent.sinceMs > 0 && rounds !== null ? extent.sinceMs / rounds : roundMs,
      patience: 1,
    }
  }
  // Told time runs faster than the clock where items begin in the past.
  const speed = (extent.durationMs + extent.sinceMs) / extent.durationMs
  const usualMs = (items / rate) * 1_000
  return { signal, items, spanMs: usualMs * speed, patience: Math.min(1, patienceMs / usualMs) }
}

export interface LoadRunParts {
  readonly connection: ServerConnection
  /** `host:port` of OTLP/gRPC. */
  readonly grpcAddress: string
  readonly options: LoadCommandOptions
  readonly signal: AbortSignal
  progress(text: string): void
}

/** Runs the load of a command line. */
export async function offerLoad({
  connection,
  grpcAddress,
  options,
  signal,
  progress,
}: LoadRunParts): Promise<LoadReport> {
  const order = loadOrder(options)
  if (order.plans.length === 0) throw new InvalidInputError('bad_usage', 'all rates are 0: nothing to send')
  if (order.sinceMs > 0 && order.maxItems === null && Object.values(order.rates).includes('max'))
    throw new InvalidInputError('bad_usage', '--since with --rate max needs --items, to know when now is')
  progress('making the requests')
  const streams: readonly Stream[] = order.plans.map(plan => {
    const rate = order.rates[plan.signal]
    return {
      traffic: createTraffic(order.profile, plan, order.encoding),
      rate: rate === 'max' ? null : rate,
      maxItems: order.maxItems,
    }
  })
  const sender = senderOf({ connection, grpcAddress, options }, order)
  const ledger =
    options.ledger === undefined
      ? null
      : new LedgerWriter(options.ledger, { profile: order.profile, plans: order.plans })
  try {
    const report = await runLoad({
      ...order,
      streams,
      sender,
      retry: defaultRetry,
      maxInFlight,
      ledger,
      signal,
      endpoint: options.transport === 'grpc' ? grpcAddress : connection.url,
      transport: `${options.transport}${options.gzip === true ? '+gzip' : ''}`,
      progress,
    })
    if (options.report !== undefined)
      writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 })
    return report
  } finally {
    ledger?.close()
    await sender.close()
  }
}

function senderOf(
  { connection, grpcAddress, options }: Pick<LoadRunParts, 'connection' | 'grpcAddress' | 'options'>,
  order: LoadOrder,
): LoadSender {
  const headers = Object.fromEntries(
    Object.entries(connection.headers).filter(([name]) => name !== 'x-tenant-id'),
  )
  const shared = {
    headers,
    connections: order.connections,
    timeoutMs: attemptTimeoutMs,
    gzip: options.gzip === true,
  }
  if (options.transport === 'grpc') return createGrpcSender({ ...shared, address: grpcAddress })
  return createHttpSender({ ...shared, url: connection.url, encoding: order.encoding })
}

/** For a terminal. */
export function renderLoad(report: LoadReport): string {
  const rows = report.signals.map(one => [
    one.signal,
    one.offered_per_s ?? 'max',
    one.acknowledged_per_s,
    one.acknowledged_items,
    one.rejected_items,
    one.failed_items,
    one.unsent_requests,
    one.retries,
    one.latency.p50_ms,
    one.latency.p99_ms,
    one.latency.max_ms,
    one.service_time.p99_ms,
  ])
  const names = ['signal', 'offered/s', 'acked/s', 'acked', 'rejected', 'failed', 'unsent', 'retries']
  const header = [...names, 'p50 ms', 'p99 ms', 'max ms', 'service p99 ms']
  const statuses = Object.entries(report.statuses).map(([status, count]) => `${status}: ${count}`)
  const notes = [
    `${report.transport} to ${report.endpoint}, ${report.seconds} s${report.interrupted ? ', interrupted' : ''}`,
    ...(statuses.length > 0 ? [`answers other than success: ${statuses.join(', ')}`] : []),
    ...(report.first_failure === '' ? [] : [`first failure: ${report.first_failure}`]),
  ]
  return [renderColumns(header, rows), ...notes].join('\n')
}

function rateOf(name: string, text: string | undefined, services: number): Rate {
  if (text === undefined) return 0
  return text === 'max' ? 'max' : amount(name, text, 1e9) * services
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InvalidInputError(
      'bad_usage',
      `--${name} is "${text}"; it is a whole number from ${least} to ${most}`,
    )
  return value
}

function amount(name: string, text: string, most: number): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > most)
    throw new InvalidInputError('bad_usage', `--${name} is "${text}"; it is a number from 0 to ${most}`)
  return value
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function duration(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const unit = unitMs[match?.[2] ?? '']
  if (match === null || unit === undefined)
    throw new InvalidInputError('bad_usage', `--${name} is "${text}"; write it as 500ms, 60s, 5m or 6h`)
  return Number(match[1]) * unit
}

function burstOf(text: string): { readonly factor: number; readonly seconds: number } {
  const match = /^(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)s?$/.exec(text)
  if (match === null)
    throw new InvalidInputError('bad_usage', `--burst is "${text}"; write it as 10x30, ten times for 30 s`)
  return { factor: Number(match[1]), seconds: Number(match[2]) }
}
