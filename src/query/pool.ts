/**
 * Runs tools in worker threads, from the main thread: who may call, for how long, and what was just answered.
 *
 * A call holds its slot until its work has really ended. Each worker runs one call at a time, so that ending a
 * thread that does not come back ends that call and no other.
 */
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { OverloadedError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Overflow } from '../model/overflow.ts'
import type { IngestCounter } from '../model/reader.ts'
import type { Receiver } from '../model/receiver.ts'
import { type Clock, systemClock } from '../model/time.ts'
import type { ToolAnswer, ToolCall, ToolRunner } from '../model/tool.ts'
import { createAnswerMemo } from './answer-memo.ts'
import { type Outcome, type QueryWorker, startQueryWorker } from './query-worker.ts'
import { createToolSlots } from './tool-slots.ts'

/** What a cancelled call gets to notice the flag before its thread is ended. */
const comeBackMs = 250

/** Two at least, so that one long call never blocks the short ones; more than four only cost memory. */
const defaultWorkers: number = Math.min(4, Math.max(2, availableParallelism()))

export interface QueryPoolOptions {
  /** MCP_MAX_CONCURRENT; 0: no limit. */
  readonly maxConcurrent: number
  /** MCP_CALL_TIMEOUT_MS; 0: no limit. */
  readonly callTimeoutMs: number
  /** MCP_CACHE_TTL_MS; 0: nothing is kept. */
  readonly cacheTtlMs: number
  /** Given to every worker as it is: `QueryWorkerSettings` for the usual entry. */
  readonly settings: unknown
  /** Hands the engine's end of a new worker's tail channel over; the engine sends what it holds, then what comes. */
  readonly connectTail: (port: MessagePort) => void
  /** Counters of the ingest path, of all tenants. */
  readonly ingestCounters: () => Promise<readonly IngestCounter[]>
  /** Where telemetry is taken; none if not given. */
  readonly receivers?: () => readonly Receiver[]
  /** Bounds of the graph that were reached, of all tenants; none if not given. */
  readonly overflows?: () => readonly Overflow[]
  readonly logger: Logger
  readonly workers?: number
  readonly clock?: Clock
  /** Another worker file, for tests. */
  readonly entry?: URL
}

export interface QueryPool extends ToolRunner {
  /** Starts the threads before the first call; they start by themselves otherwise. */
  start(): void
  /** Ends all threads; running calls reject. May be called twice and before `start`. */
  stop(): Promise<void>
  /** Has all threads keep this share, 0 to 1, of what they have in their caches. */
  shrink(share: number): void
  /** Has one call run at a time while it holds, whatever there are threads; those that run go on. */
  oneAtATime(holds: boolean): void
  /** Calls that hold a slot. */
  readonly running: number
}

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const workerEntry = new URL(`./worker${extension}`, import.meta.url)

interface Waiting {
  readonly give: (worker: QueryWorker) => void
  readonly fail: (reason: string) => void
}

/** Damaged things named in the log; where there are more, `verify` is the place to look. */
const maxKnownDamage = 1_000

class WorkerPool implements QueryPool {
  private readonly options: QueryPoolOptions
  private readonly clock: Clock
  private readonly slots
  private readonly memo
  private readonly idle: QueryWorker[] = []
  private readonly busy = new Set<QueryWorker>()
  private readonly all = new Set<QueryWorker>()
  /** Calls that hold a slot and wait for a thread; bounded by the slots. */
  private readonly waiting: Waiting[] = []
  private readonly knownDamage = new Set<string>()
  private nextId = 1
  private stopped = false
  private narrow = false

  constructor(options: QueryPoolOptions) {
    this.options = options
    this.clock = options.clock ?? systemClock
    this.slots = createToolSlots(options.maxConcurrent, this.clock)
    this.memo = createAnswerMemo(
      options.cacheTtlMs,
      options.clock === undefined ? undefined : () => this.clock.now(),
    )
  }

  get running(): number {
    return this.slots.taken
  }

  start(): void {
    const wanted = this.options.workers ?? defaultWorkers
    while (!this.stopped && this.all.size < wanted) {
      const worker = this.createWorker()
      void worker.ready.then(() => this.giveBack(worker))
    }
  }

  shrink(share: number): void {
    for (const worker of this.all) worker.shrink(share)
  }

  oneAtATime(holds: boolean): void {
    this.narrow = holds
    this.giveOut()
  }

  async stop(): Promise<void> {
    this.stopped = true
    await Promise.all([...this.all].map(worker => worker.end()))
  }

  async call(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
    signal.throwIfAborted()
    const key = this.memo.keyOf(call)
    const known = key === null ? undefined : this.memo.get(key)
    if (known !== undefined) return known
    const release = this.slots.take(call.caller.tenant)
    try {
      this.start()
      const answer = await this.runWithin(call, signal)
      if (key !== null) this.memo.keep(key, answer)
      return answer
    } finally {
      release()
    }
  }

  /** Every thread meets the same damage; the log says it once. */
  private logDamage(what: string): void {
    if (this.knownDamage.has(what) || this.knownDamage.size >= maxKnownDamage) return
    this.knownDamage.add(what)
    this.options.logger.error(
      { event: 'store_damage', what },
      'left out of answers; otelcontext verify lists all',
    )
  }

  /** Runs the call until it ends, its time is over, or the caller gives up; returns only when nothing runs. */
  private async runWithin(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
    const { callTimeoutMs } = this.options
    const giveUp = new AbortController()
    const timer = callTimeoutMs === 0 ? undefined : setTimeout(() => giveUp.abort(), callTimeoutMs)
    const over = AbortSignal.any([signal, giveUp.signal])
    const deadlineMs = callTimeoutMs === 0 ? Number.MAX_SAFE_INTEGER : this.clock.now() + callTimeoutMs
    try {
      const worker = await this.takeWorker(over)
      const outcome =
        worker === null ? { type: 'stopped' as const } : await this.runOn(worker, call, deadlineMs, over)
      if (outcome.type === 'answer') return outcome.answer
      signal.throwIfAborted()
      if (outcome.type === 'crashed') throw new Error(outcome.message)
      if (this.stopped)
        throw new OverloadedError('overloaded', 'the server is stopping', { retryAfterMs: 5_000 })
      throw new OverloadedError(
        'call_timeout',
        `call timeout: the call took longer than ${callTimeoutMs} ms`,
        {
          retryAfterMs: 1_000,
        },
      )
    } finally {
      clearTimeout(timer)
    }
  }

  private async runOn(
    worker: QueryWorker,
    call: ToolCall,
    deadlineMs: number,
    over: AbortSignal,
  ): Promise<Outcome> {
    const id = this.nextId++ % 0x7fffffff || this.nextId++
    let killer: NodeJS.Timeout | undefined
    const giveUp = (): void => {
      worker.cancel(id)
      killer = setTimeout(() => void this.replace(worker), comeBackMs)
    }
    over.addEventListener('abort', giveUp, { once: true })
    if (over.aborted) giveUp()
    try {
      return await worker.run(id, call, deadlineMs)
    } finally {
      over.removeEventListener('abort', giveUp)
      clearTimeout(killer)
      this.giveBack(worker)
    }
  }

  /** An idle worker, or null once the signal fires. */
  private takeWorker(over: AbortSignal): Promise<QueryWorker | null> {
    const free = this.mayRun() ? this.idle.pop() : undefined
    if (free !== undefined) {
      this.busy.add(free)
      return Promise.resolve(free)
    }
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        give: worker => {
          over.removeEventListener('abort', leave)
          resolve(worker)
        },
        fail: reason => {
          over.removeEventListener('abort', leave)
          reject(new Error(`query worker could not start: ${reason}`))
        },
      }
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(entry), 1)
        resolve(null)
      }
      if (over.aborted) {
        resolve(null)
        return
      }
      over.addEventListener('abort', leave, { once: true })
      this.waiting.push(entry)
    })
  }

  private giveBack(worker: QueryWorker): void {
    this.busy.delete(worker)
    if (!worker.ended && this.all.has(worker)) this.idle.push(worker)
    this.giveOut()
  }

  private mayRun(): boolean {
    return !this.narrow || this.busy.size === 0
  }

  private giveOut(): void {
    while (this.waiting.length > 0 && this.mayRun()) {
      const worker = this.idle.pop()
      if (worker === undefined) return
      this.busy.add(worker)
      this.waiting.shift()?.give(worker)
    }
  }

  private createWorker(): QueryWorker {
    const { port1, port2 } = new MessageChannel()
    const worker: QueryWorker = startQueryWorker({
      entry: this.options.entry ?? workerEntry,
      tail: port1,
      settings: this.options.settings,
      ingestState: async () => ({
        counters: await this.options.ingestCounters(),
        receivers: this.options.receivers?.() ?? [],
        overflows: this.options.overflows?.() ?? [],
      }),
      onDamage: what => this.logDamage(what),
      onStoreFault: (tool, reason) =>
        this.options.logger.error({ event: 'store_fault', tool, reason }, 'the store could not be read'),
      onLost: (reason, started) => {
        this.options.logger.error({ event: 'query_worker_lost', reason }, 'a query worker ended by itself')
        this.forget(worker)
        // One that never got ready will not get ready the next time either.
        if (!started) for (const entry of this.waiting.splice(0)) entry.fail(reason)
        else if (this.waiting.length > 0) this.start()
      },
    })
    this.options.connectTail(port2)
    this.all.add(worker)
    return worker
  }

  private forget(worker: QueryWorker): void {
    this.all.delete(worker)
    const at = this.idle.indexOf(worker)
    if (at >= 0) this.idle.splice(at, 1)
  }

  private async replace(worker: QueryWorker): Promise<void> {
    this.options.logger.warn(
      { event: 'query_worker_replaced' },
      'a query worker did not come back and was ended',
    )
    this.forget(worker)
    await worker.end()
    this.start()
  }
}

export function createQueryPool(options: QueryPoolOptions): QueryPool {
  return new WorkerPool(options)
}
