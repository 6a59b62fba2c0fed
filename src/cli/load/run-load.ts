/**
 * Offers a load: an open loop, where each request is due at a time that does not depend on how fast the server
 * answers, and latency counts from then (G. Tene calls the other way coordinated omission). Without a rate it is
 * a closed loop, as many requests in flight as connections, which measures how much a server takes.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Signal } from '../../model/telemetry.ts'
import { LatencyRecord } from './latency-record.ts'
import type { LedgerWriter } from './ledger.ts'
import type { LoadProfile } from './load-profile.ts'
import { type LoadReport, latencyFigures, type SignalReport } from './load-report.ts'
import { type Burst, schedule } from './load-schedule.ts'
import { type Delivery, deliver, type LoadSender, type RetryLimits, sleep } from './load-sender.ts'
import type { RequestTemplate } from './request-template.ts'
import { seededRandom } from './seeded-random.ts'
import { roundOf, type Traffic } from './traffic.ts'

export interface Stream {
  readonly traffic: Traffic
  /** Items a second; null: as fast as it goes. */
  readonly rate: number | null
  /** Ends the stream early; null: the load's duration does. */
  readonly maxItems: number | null
}

export interface LoadOptions {
  readonly profile: LoadProfile
  readonly streams: readonly Stream[]
  readonly sender: LoadSender
  readonly retry: RetryLimits
  readonly durationMs: number
  /** Acknowledgements in the first part of the load are not reported. */
  readonly warmUpMs: number
  readonly burst: Burst | null
  /** Item times begin so long before the start and reach now at the end; 0: items tell the time they are sent. */
  readonly sinceMs: number
  /** Requests go to them in turn, round by round; `''` is the key's own. */
  readonly tenants: readonly string[]
  /** Of a closed loop; an open one is bounded by `maxInFlight` only. */
  readonly connections: number
  /** Beyond it requests wait here, and their latency grows. */
  readonly maxInFlight: number
  readonly ledger: LedgerWriter | null
  /** Stops the load; what is in flight is waited for. */
  readonly signal: AbortSignal
  readonly endpoint: string
  readonly transport: string
  progress(text: string): void
}

const progressEveryMs = 1_000

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const run = new LoadRun(options)
  return run.offer()
}

interface Totals {
  acknowledgedItems: number
  acknowledgedRequests: number
  rejectedItems: number
  failedRequests: number
  failedItems: number
  unsentRequests: number
  retries: number
  readonly latency: LatencyRecord
  readonly serviceTime: LatencyRecord
}

interface Due {
  readonly template: RequestTemplate
  readonly request: number
  readonly round: number
  /** Of the performance clock; null in a closed loop. */
  readonly dueAt: number | null
}

class LoadRun {
  readonly #options: LoadOptions
  readonly #random: () => number
  readonly #totals = new Map<Signal, Totals>()
  readonly #statuses = new Map<string, number>()
  readonly #started = performance.now()
  readonly #startedNs = BigInt(Date.now()) * 1_000_000n
  #inFlight = 0
  #inFlightMax = 0
  #bytes = 0
  #firstFailure = ''

  constructor(options: LoadOptions) {
    this.#options = options
    const random = seededRandom(options.profile.seed ^ 0xbacc0ff)
    this.#random = () => random.next()
    for (const { traffic } of options.streams) this.#totals.set(traffic.plan.signal, emptyTotals())
  }

  async offer(): Promise<LoadReport> {
    const options = this.#options
    const timer = setInterval(() => options.progress(this.#progress()), progressEveryMs)
    try {
      await Promise.all(
        options.streams.map(stream =>
          stream.rate === null ? this.#closedLoop(stream) : this.#openLoop(stream, stream.rate),
        ),
      )
    } finally {
      clearInterval(timer)
    }
    return this.#report()
  }

  async #openLoop(stream: Stream, rate: number): Promise<void> {
    const { traffic } = stream
    const { signal, durationMs, burst, maxInFlight } = this.#options
    const plan = schedule(durationMs, burst)
    const roundMs = (traffic.items / rate) * 1_000
    const pending = new Set<Promise<void>>()
    let items = 0
    for (let n = 0; ; n++) {
      const round = Math.floor(n / traffic.templates.length)
      const request = n % traffic.templates.length
      const template = traffic.templates[request]
      if (template === undefined) break
      const usualMs = (round + template.at) * roundMs
      if (usualMs > plan.usualMs || items >= (stream.maxItems ?? Number.POSITIVE_INFINITY)) break
      const dueAt = this.#started + plan.dueMs(usualMs)
      const waitMs = dueAt - performance.now()
      // Timers are a millisecond coarse: what is due within it goes now, and never before it is due by more.
      if (waitMs > 1) await sleep(waitMs - 0.5, signal)
      while (this.#inFlight >= maxInFlight && !signal.aborted) await Promise.race(pending)
      // A load that cannot keep up ends in time and says what it owes.
      const late = performance.now() - this.#started > durationMs + 1_000
      if (signal.aborted || late) {
        this.#totalsOf(traffic.plan.signal).unsentRequests += unsent(stream, n, plan.usualMs, roundMs)
        break
      }
      items += template.items
      const work = this.#send(stream, { template, request, round, dueAt }).finally(() => pending.delete(work))
      pending.add(work)
      // Acknowledgements are noted when they come, not when the next pause allows.
      if (n % 16 === 15) await nextTurn()
    }
    await Promise.all(pending)
  }

  async #closedLoop(stream: Stream): Promise<void> {
    const { traffic } = stream
    const until = this.#started + this.#options.durationMs
    let n = 0
    let items = 0
    const worker = async (): Promise<void> => {
      while (performance.now() < until && !this.#options.signal.aborted) {
        if (items >= (stream.maxItems ?? Number.POSITIVE_INFINITY)) return
        const round = Math.floor(n / traffic.templates.length)
        const request = n++ % traffic.templates.length
        const template = traffic.templates[request]
        if (template === undefined) return
        items += template.items
        await this.#send(stream, { template, request, round, dueAt: null })
      }
    }
    await Promise.all(Array.from({ length: this.#options.connections }, worker))
  }

  async #send(stream: Stream, due: Due): Promise<void> {
    const { tenants, ledger } = this.#options
    const { signal } = stream.traffic.plan
    const round = this.#roundOf(stream, due.round)
    const body = due.template.fill(round)
    const tenant = tenants[due.round % tenants.length] ?? ''
    const totals = this.#totalsOf(signal)
    const sentAt = performance.now()
    this.#bytes += body.length
    this.#inFlight++
    this.#inFlightMax = Math.max(this.#inFlightMax, this.#inFlight)
    const delivery = await deliver(
      {
        sender: this.#options.sender,
        retry: this.#options.retry,
        random: this.#random,
        signal: this.#options.signal,
        onRetry: status => {
          totals.retries++
          this.#countStatus(status)
        },
      },
      signal,
      body,
      tenant,
    )
    this.#inFlight--
    const now = performance.now()
    const counted = sentAt - this.#started >= this.#options.warmUpMs
    this.#count(totals, delivery, due.template.items, counted)
    if (delivery.type !== 'accepted') return
    if (counted) {
      totals.latency.add(now - (due.dueAt ?? sentAt))
      totals.serviceTime.add(now - sentAt)
    }
    ledger?.add({
      signal,
      round: due.round,
      request: due.request,
      start_ns: String(round.startNs),
      tenant,
      items: due.template.items,
      rejected: delivery.rejected,
    })
  }

  #count(totals: Totals, delivery: Delivery, items: number, counted: boolean): void {
    if (delivery.type === 'accepted') {
      if (!counted) return
      totals.acknowledgedRequests++
      totals.acknowledgedItems += items - delivery.rejected
      totals.rejectedItems += delivery.rejected
      return
    }
    totals.failedRequests++
    totals.failedItems += items
    this.#countStatus(delivery.status)
    if (this.#firstFailure === '') this.#firstFailure = `${delivery.status}: ${delivery.detail}`
  }

  #countStatus(status: string): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
  }

  #roundOf(stream: Stream, number: number) {
    const { profile, sinceMs } = this.#options
    const { plan } = stream.traffic
    const startMs = this.#roundStartMs(stream, number, sinceMs, plan.spanMs)
    return roundOf(
      profile,
      plan.signal,
      number,
      this.#startedNs + BigInt(Math.round(startMs * 1_000)) * 1_000n,
    )
  }

  /** Of a round's items, milliseconds after the start of the load; negative for the past. */
  #roundStartMs(stream: Stream, number: number, sinceMs: number, spanMs: number): number {
    const nowMs = performance.now() - this.#started
    if (stream.rate !== null) return number * spanMs - sinceMs
    // As fast as it goes: nothing says how long a round will take, so its items lie just behind it.
    if (sinceMs === 0) return this.#closedRound(stream, number, nowMs - spanMs)
    return Math.min(nowMs - spanMs, number * spanMs - sinceMs)
  }

  /** Where a round of the closed loop began is settled by its first request. */
  readonly #closedRounds = new Map<Stream, Map<number, number>>()
  #closedRound(stream: Stream, number: number, startMs: number): number {
    const rounds = this.#closedRounds.get(stream) ?? new Map<number, number>()
    this.#closedRounds.set(stream, rounds)
    const known = rounds.get(number)
    if (known !== undefined) return known
    rounds.set(number, startMs)
    // Requests of at most two rounds are in flight.
    rounds.delete(number - 4)
    return startMs
  }

  #totalsOf(signal: Signal): Totals {
    const known = this.#totals.get(signal)
    if (known !== undefined) return known
    const made = emptyTotals()
    this.#totals.set(signal, made)
    return made
  }

  #progress(): string {
    const seconds = (performance.now() - this.#started) / 1_000
    const parts = [...this.#totals].map(([signal, totals]) => {
      const failed = totals.failedRequests > 0 ? `, ${totals.failedRequests} requests failed` : ''
      return `${signal} ${totals.acknowledgedItems} acknowledged${failed}`
    })
    return `${seconds.toFixed(0)} s: ${parts.join('; ')}; ${this.#inFlight} in flight`
  }

  #report(): LoadReport {
    const seconds = Math.max(0.001, (performance.now() - this.#started) / 1_000)
    const measured = Math.max(0.001, seconds - this.#options.warmUpMs / 1_000)
    return {
      endpoint: this.#options.endpoint,
      transport: this.#options.transport,
      seconds: Math.round(seconds * 100) / 100,
      requests_in_flight_max: this.#inFlightMax,
      request_bytes: this.#bytes,
      signals: this.#options.streams.map(stream => this.#signalReport(stream, measured)),
      statuses: Object.fromEntries([...this.#statuses].sort()),
      first_failure: this.#firstFailure,
      interrupted: this.#options.signal.aborted,
    }
  }

  #signalReport({ traffic, rate }: Stream, seconds: number): SignalReport {
    const totals = this.#totalsOf(traffic.plan.signal)
    return {
      signal: traffic.plan.signal,
      offered_per_s: rate,
      acknowledged_per_s: Math.round(totals.acknowledgedItems / seconds),
      acknowledged_items: totals.acknowledgedItems,
      acknowledged_requests: totals.acknowledgedRequests,
      rejected_items: totals.rejectedItems,
      failed_requests: totals.failedRequests,
      failed_items: totals.failedItems,
      unsent_requests: totals.unsentRequests,
      retries: totals.retries,
      latency: latencyFigures(totals.latency),
      service_time: latencyFigures(totals.serviceTime),
    }
  }
}

/** Requests from the n-th on that were due within the load. */
function unsent(stream: Stream, from: number, usualMs: number, roundMs: number): number {
  const { templates } = stream.traffic
  const wholeRounds = Math.floor(usualMs / roundMs)
  const rest = usualMs / roundMs - wholeRounds
  const due = wholeRounds * templates.length + templates.filter(template => template.at <= rest).length
  return Math.max(0, due - from)
}

function emptyTotals(): Totals {
  return {
    acknowledgedItems: 0,
    acknowledgedRequests: 0,
    rejectedItems: 0,
    failedRequests: 0,
    failedItems: 0,
    unsentRequests: 0,
    retries: 0,
    latency: new LatencyRecord(),
    serviceTime: new LatencyRecord(),
  }
}
