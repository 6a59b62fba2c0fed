/** Offers load to a subject, with the same generator as `otelcontext load`. */
import { createGrpcSender } from '../../src/cli/load/grpc-sender.ts'
import { createHttpSender } from '../../src/cli/load/http-sender.ts'
import { defaultProfile, type LoadProfile } from '../../src/cli/load/load-profile.ts'
import type { SignalReport } from '../../src/cli/load/load-report.ts'
import { defaultRetry } from '../../src/cli/load/load-sender.ts'
import { runLoad } from '../../src/cli/load/run-load.ts'
import { createTraffic } from '../../src/cli/load/traffic.ts'
import type { Signal } from '../../src/model/telemetry.ts'
import type { Subject } from './subjects.ts'

/** A hundred spans of ten attributes a request, one service each, as SDKs send. */
export const benchProfile: LoadProfile = { ...defaultProfile, seed: 20260301 }

export interface Offer {
  readonly signal?: Signal
  readonly transport?: 'http' | 'json' | 'grpc'
  readonly gzip?: boolean
  /** Items a second; null: as fast as it goes, which is the default. */
  readonly rate?: number | null
  readonly seconds: number
  readonly items?: number
  /** Item times begin so long ago and reach now at the end. */
  readonly sinceMs?: number
  readonly profile?: LoadProfile
  /** Items made once and sent over and over. */
  readonly roundItems?: number
  readonly connections?: number
  /** Another one sends the same items under other ids. */
  readonly idSeed?: number
  readonly signalToStop?: AbortSignal
  /** Requests that are refused until the sender gives up are part of what is measured, and no failure of it. */
  readonly refusable?: true
}

/** Resolves when the last request is answered. */
export async function offer(subject: Subject, options: Offer): Promise<SignalReport> {
  const profile = options.profile ?? benchProfile
  const transport = options.transport ?? 'http'
  const rate = options.rate ?? null
  // At a low rate a round is short all the same, so that requests fill within a second or go out as they are.
  const items = options.roundItems ?? (rate === null ? 20_000 : Math.max(500, Math.min(20_000, rate * 5)))
  const rounds = Math.max(1, (options.items ?? items) / items)
  const sinceMs = options.sinceMs ?? 0
  const usualMs = rate === null ? 5_000 : (items / rate) * 1_000
  const plan = {
    signal: options.signal ?? 'traces',
    items,
    spanMs: sinceMs > 0 ? sinceMs / rounds : usualMs,
    patience: rate === null ? 1 : Math.min(1, 1_000 / usualMs),
  } as const
  const connections = options.connections ?? 8
  const shared = { headers: {}, connections, timeoutMs: 60_000, gzip: options.gzip === true }
  const encoding = transport === 'json' ? 'json' : 'protobuf'
  const sender =
    transport === 'grpc'
      ? createGrpcSender({ ...shared, address: subject.grpcAddress })
      : createHttpSender({ ...shared, url: subject.otlpHttpUrl, encoding })
  try {
    const report = await runLoad({
      profile: { ...profile, seed: profile.seed + (options.idSeed ?? 0) },
      streams: [{ traffic: createTraffic(profile, plan, encoding), rate, maxItems: options.items ?? null }],
      sender,
      retry: defaultRetry,
      durationMs: options.seconds * 1_000,
      warmUpMs: 0,
      burst: null,
      sinceMs,
      tenants: [''],
      connections,
      maxInFlight: 2_000,
      ledger: null,
      signal: options.signalToStop ?? new AbortController().signal,
      endpoint: subject.otlpHttpUrl,
      transport,
      progress: () => undefined,
    })
    const [one] = report.signals
    if (one === undefined || (one.failed_requests > 0 && options.refusable !== true))
      throw new Error(`${one?.failed_requests} requests failed: ${report.first_failure}`)
    return one
  } finally {
    await sender.close()
  }
}
