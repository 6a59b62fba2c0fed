import type { MessagePort } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { OverloadedError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import type { Caller, ToolAnswer, ToolCall } from '../../src/model/tool.ts'
import { createQueryPool, type QueryPool, type QueryPoolOptions } from '../../src/query/pool.ts'

const caller: Caller = { tenant: 'default', principal: 'loopback', operator: true }
const never = new AbortController().signal

const pools: QueryPool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map(pool => pool.stop()))
})

interface Made {
  readonly pool: QueryPool
  readonly tails: readonly MessagePort[]
  /** Calls that reached a worker. */
  readonly calls: () => number
  readonly ask: (tool: string, args?: unknown, signal?: AbortSignal, from?: Caller) => Promise<ToolAnswer>
}

function makePool(options: Partial<QueryPoolOptions> = {}): Made {
  const counter = new SharedArrayBuffer(8)
  const tails: MessagePort[] = []
  const pool = createQueryPool({
    maxConcurrent: 4,
    callTimeoutMs: 5_000,
    cacheTtlMs: 0,
    workers: 1,
    settings: { counter },
    connectTail: port => tails.push(port),
    ingestCounters: async () => [],
    logger: createLogger('silent'),
    entry: new URL('./pool-worker.ts', import.meta.url),
    ...options,
  })
  pools.push(pool)
  const ask = (tool: string, args: unknown = {}, signal = never, from = caller): Promise<ToolAnswer> => {
    const call: ToolCall = { tool, args, caller: from }
    return pool.call(call, signal)
  }
  return { pool, tails, calls: () => Atomics.load(new Int32Array(counter), 0), ask }
}

/** Threads take their time to start on a busy machine; calls with a short time are made when one is there. */
async function warm({ ask }: Made): Promise<void> {
  while (
    await ask('search_logs').then(
      () => false,
      () => true,
    )
  );
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error))

const codeOf = (error: unknown): string => (error instanceof OverloadedError ? error.code : String(error))

describe('the pool', () => {
  it('runs calls in a worker and gives each worker a channel to the engine', async () => {
    const { ask, tails, pool } = makePool()
    expect(JSON.parse((await ask('search_logs')).json)).toEqual({ answer: 'search_logs', calls: 1 })
    expect(tails).toHaveLength(1)
    expect(pool.running).toBe(0)
  })

  it('has caches shrink between two calls, and never while one runs', async () => {
    const made = makePool()
    const { ask, pool } = made
    await warm(made)
    pool.shrink(0.5)
    const running = ask('shrunk', { ms: 200 })
    setTimeout(() => {
      pool.shrink(0.25)
      pool.shrink(0.75)
    }, 50)
    expect(JSON.parse((await running).json)).toEqual({ before: [0.5], during: [] })
    expect(JSON.parse((await ask('shrunk')).json)).toEqual({ before: [0.5, 0.25], during: [] })
  })

  it('refuses a call beyond the slots at once, and takes the next when one is free', async () => {
    const { ask, pool } = makePool({ maxConcurrent: 2 })
    const running = [ask('search_logs', { ms: 300 }), ask('search_logs', { ms: 1 })]
    const refused = await ask('search_logs').catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(OverloadedError)
    expect(codeOf(refused)).toBe('overloaded')
    expect((refused as OverloadedError).retryAfterMs).toBeGreaterThan(0)
    expect(pool.running).toBe(2)
    await Promise.all(running)
    expect((await ask('search_logs')).failed).toBe(false)
  })

  it('has no limit with 0', async () => {
    const { ask } = makePool({ maxConcurrent: 0 })
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask('search_logs')))
    expect(answers).toHaveLength(100)
  })

  it('lets one tenant hold at most three quarters of the slots while others are calling', async () => {
    const { ask } = makePool({ maxConcurrent: 4, workers: 1 })
    const other: Caller = { ...caller, tenant: 'other' }
    await ask('search_logs', {}, never, other)
    const own = [1, 2, 3].map(() => ask('search_logs', { ms: 100 }))
    const fourth = await ask('search_logs').catch(codeOf)
    expect(fourth).toBe('overloaded')
    const others = ask('search_logs', {}, never, other)
    expect((await Promise.all([...own, others])).map(answer => answer.failed)).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it('lets one tenant hold all slots while nobody else is calling', async () => {
    const { ask } = makePool({ maxConcurrent: 4 })
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask('search_logs', { ms: 20 })))
    expect(answers).toHaveLength(4)
  })
})

describe('one call at a time', () => {
  const othersOf = ({ json }: ToolAnswer): number => (JSON.parse(json) as { readonly others: number }).others

  it('is what runs while it holds, though there are threads', async () => {
    const { pool, ask } = makePool({ workers: 2 })
    pool.oneAtATime(true)
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask('overlap', { ms: 30 })))
    expect(answers.map(othersOf)).toEqual([0, 0, 0, 0])
  })

  /** Until both threads are there. */
  async function warmBoth({ ask }: Made): Promise<void> {
    for (let most = 0; most === 0; ) {
      const answers = await Promise.all([1, 2].map(() => ask('overlap', { ms: 20 })))
      most = Math.max(...answers.map(othersOf))
    }
  }

  it('ends at once for calls that wait', async () => {
    const made = makePool({ workers: 2 })
    const { pool, ask } = made
    await warmBoth(made)
    pool.oneAtATime(true)
    const ended: string[] = []
    const long = ask('overlap', { ms: 1_500 }).then(() => ended.push('long'))
    const short = ask('overlap').then(() => ended.push('short'))
    pool.oneAtATime(false)
    await Promise.all([long, short])
    expect(ended).toEqual(['short', 'long'])
  })

  it('leaves no call behind when a thread is lost', async () => {
    const made = makePool({ workers: 2 })
    const { pool, ask } = made
    await warm(made)
    pool.oneAtATime(true)
    const lost = ask('crash').catch(nameOf)
    const next = ask('overlap')
    expect(await lost).toBe('Error')
    expect(othersOf(await next)).toBe(0)
  })
})

describe('a call past its time', () => {
  it('is stopped at its next check and answered as a timeout', async () => {
    const made = makePool({ callTimeoutMs: 1_000 })
    const { ask, pool, tails } = made
    await warm(made)
    expect(await ask('search_logs', { ms: 60_000 }).catch(codeOf)).toBe('call_timeout')
    expect(pool.running).toBe(0)
    expect((await ask('search_logs')).failed).toBe(false)
    expect(tails).toHaveLength(1)
  })

  it('that waits outside of its thread is stopped through its signal', async () => {
    const made = makePool({ callTimeoutMs: 1_000 })
    const { ask, tails } = made
    await warm(made)
    expect(await ask('wait', { ms: 60_000 }).catch(codeOf)).toBe('call_timeout')
    expect((await ask('search_logs')).failed).toBe(false)
    expect(tails).toHaveLength(1)
  })

  it('that never looks up is ended with its worker, which is replaced', async () => {
    const made = makePool({ callTimeoutMs: 1_000 })
    const { ask, tails, pool } = made
    await warm(made)
    expect(await ask('hang', { ms: 60_000 }).catch(codeOf)).toBe('call_timeout')
    expect(pool.running).toBe(0)
    await warm(made)
    expect(tails).toHaveLength(2)
  })

  it('holds its slot until its work has really stopped', async () => {
    const made = makePool({ callTimeoutMs: 1_000, maxConcurrent: 1 })
    const { ask, pool } = made
    await warm(made)
    const hanging = ask('hang', { ms: 60_000 }).catch(codeOf)
    expect(pool.running).toBe(1)
    expect(await ask('search_logs').catch(codeOf)).toBe('overloaded')
    expect(await hanging).toBe('call_timeout')
    expect(pool.running).toBe(0)
  })

  it('ends only its own work: calls that wait for the thread are run by its successor', async () => {
    const made = makePool({ callTimeoutMs: 6_000 })
    const { ask, tails } = made
    await warm(made)
    const hanging = ask('hang', { ms: 60_000 }).catch(codeOf)
    await new Promise(resolve => setTimeout(resolve, 4_500))
    const waiting = ask('search_logs')
    expect(await hanging).toBe('call_timeout')
    expect((await waiting).failed).toBe(false)
    expect(tails).toHaveLength(2)
  })

  it('is never past it with 0', async () => {
    const { ask } = makePool({ callTimeoutMs: 0 })
    expect((await ask('search_logs', { ms: 300 })).failed).toBe(false)
  })
})

describe('a caller that goes away', () => {
  it('stops the work and frees the slot', async () => {
    const made = makePool()
    const { ask, pool, tails, calls } = made
    await warm(made)
    const before = calls()
    const leaving = new AbortController()
    const call = ask('search_logs', { ms: 60_000 }, leaving.signal).catch(nameOf)
    await expect.poll(calls).toBe(before + 1)
    leaving.abort()
    expect(await call).toBe('AbortError')
    expect(pool.running).toBe(0)
    expect((await ask('search_logs')).failed).toBe(false)
    expect(tails).toHaveLength(1)
  })

  it('before a thread was free never reaches one', async () => {
    const { ask, calls } = makePool()
    const first = ask('search_logs', { ms: 200 })
    const leaving = new AbortController()
    const second = ask('search_logs', {}, leaving.signal).catch(nameOf)
    leaving.abort()
    expect(await second).toBe('AbortError')
    await first
    expect(calls()).toBe(1)
  })
})

describe('a worker', () => {
  it('that throws fails the call and lives on', async () => {
    const { ask, tails } = makePool()
    await expect(ask('throw')).rejects.toThrow('a bug')
    expect((await ask('search_logs')).failed).toBe(false)
    expect(tails).toHaveLength(1)
  })

  it('that dies fails its call and is replaced', async () => {
    const { ask, tails } = makePool()
    await expect(ask('exit')).rejects.toThrow('query worker lost')
    expect((await ask('search_logs')).failed).toBe(false)
    expect(tails).toHaveLength(2)
  })

  it('that cannot start fails the calls that wait for it', async () => {
    const { ask } = makePool({ entry: new URL('./no-such-worker.ts', import.meta.url) })
    await expect(ask('search_logs')).rejects.toThrow('could not start')
    await expect(ask('search_logs')).rejects.toThrow('could not start')
  })

  it('has the process log say why the store could not be read', async () => {
    const lines: string[] = []
    const logger = createLogger('error', { write: line => void lines.push(line) })
    const { ask } = makePool({ logger })
    expect((await ask('fault')).failed).toBe(true)
    expect(lines.join('')).toContain('disk gone')
  })

  it('is told the counters of the ingest path and where telemetry is taken', async () => {
    const counters = [
      {
        tenant: 'default',
        signal: 'logs' as const,
        transport: 'http',
        requests: 3,
        accepted: 5,
        rejected: 0,
        duplicates: 0,
        refusedRetry: 0,
        invalid: 0,
        lastAcceptedMs: 1,
        lastProblem: '',
      },
    ]
    const receivers = [{ transport: 'grpc' as const, address: '127.0.0.1:4317', problem: '' }]
    const { ask } = makePool({ ingestCounters: async () => counters, receivers: () => receivers })
    expect(JSON.parse((await ask('counters')).json)).toEqual({ overflows: [], counters, receivers })
  })
})

describe('the memo', () => {
  it('answers a cheap graph tool again without a worker, whatever the order of its arguments', async () => {
    const { ask, calls } = makePool({ cacheTtlMs: 60_000 })
    const first = await ask('get_service_map', { ms: 0, service: 'a' })
    expect(await ask('get_service_map', { service: 'a', ms: 0 })).toEqual(first)
    expect(calls()).toBe(1)
  })

  it('is asked before the slots', async () => {
    const { ask } = makePool({ cacheTtlMs: 60_000, maxConcurrent: 1 })
    const kept = await ask('get_service_map')
    const running = ask('search_logs', { ms: 200 })
    expect(await ask('get_service_map')).toEqual(kept)
    await running
  })

  it('keeps nothing across tenants, principals, arguments or tools that search', async () => {
    const { ask, calls } = makePool({ cacheTtlMs: 60_000 })
    await ask('get_service_map')
    await ask('get_service_map', {}, never, { ...caller, tenant: 'other' })
    await ask('get_service_map', {}, never, { ...caller, principal: 'key-2' })
    await ask('get_service_map', { service: 'a' })
    await ask('search_logs')
    await ask('search_logs')
    expect(calls()).toBe(6)
  })

  it('keeps no failures', async () => {
    const { ask, calls } = makePool({ cacheTtlMs: 60_000 })
    expect((await ask('get_service_health')).failed).toBe(true)
    expect((await ask('get_service_health')).failed).toBe(true)
    expect(calls()).toBe(2)
  })

  it('forgets after its time and is off with 0', async () => {
    let now = 1_000
    const { ask, calls } = makePool({ cacheTtlMs: 5_000, clock: { now: () => now }, callTimeoutMs: 0 })
    await ask('get_service_map')
    now += 4_999
    await ask('get_service_map')
    expect(calls()).toBe(1)
    now += 2
    await ask('get_service_map')
    expect(calls()).toBe(2)
    const off = makePool({ cacheTtlMs: 0 })
    await off.ask('get_service_map')
    await off.ask('get_service_map')
    expect(off.calls()).toBe(2)
  })
})

describe('stop', () => {
  it('may come before start and twice, and ends running calls', async () => {
    const made = makePool()
    const { ask, pool } = made
    await warm(made)
    const call = ask('search_logs', { ms: 60_000 }).catch(codeOf)
    await pool.stop()
    await pool.stop()
    expect(await call).toBe('overloaded')
    const unused = makePool().pool
    await unused.stop()
    expect(unused.running).toBe(0)
  })
})
