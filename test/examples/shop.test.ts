/** The shop's telemetry as a receiver sees it: one healthy while, then everything that can happen to it at once. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backing, services } from '../../examples/shop/orchestration/plan.ts'
import { journeysPerSecond, scenarioNamed, scenarios } from '../../examples/shop/orchestration/scenarios.ts'
import { type Shop, startShop } from '../../examples/shop/orchestration/shop.ts'
import type { ShopperFigures } from '../../examples/shop/runtime/messages.ts'
import { pause } from '../../examples/shop/runtime/pause.ts'
import { type Recorded, type Recorder, startRecorder } from './otlp-recorder.ts'
import {
  everyString,
  type ReadLog,
  type ReadPoint,
  type ReadSpan,
  readLogs,
  readPoints,
  readSpans,
} from './telemetry-reading.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const happened = scenarios.filter(({ name }) => name !== 'dependency-down' && name !== 'lost-messages')
/** Orders whose fate has to be known; of so many, chance leaves three quarters alone once in 17,000 runs. */
const settledOrders = 12
/** Journeys with an order come every second or so; a machine with other work is slower. */
const orderPatienceMs = 90_000
const lost: string[] = []

let recorder: Recorder
let healthyFigures: ShopperFigures
let processIds: readonly number[]
/** Up to the first event, and all of it. */
let healthy: readonly Recorded[]
let spans: readonly ReadSpan[]
let healthySpans: readonly ReadSpan[]
/** Orders of the healthy while, and of the while in which all that happened was that the queue lost some. */
let healthyOrders: readonly Order[]
let forgottenOrders: readonly Order[]
let logs: readonly ReadLog[]
let healthyLogs: readonly ReadLog[]
let points: readonly ReadPoint[]

beforeAll(async () => {
  recorder = await startRecorder()
  const shop = await startShop({ endpoint: recorder, onLost: sentence => lost.push(sentence) })
  try {
    await live(shop)
  } finally {
    await shop.stop()
  }
  const all = recorder.requests
  spans = readSpans(all)
  logs = readLogs(all)
  points = readPoints(all)
  healthySpans = readSpans(healthy)
  healthyLogs = readLogs(healthy)
}, 240_000)

afterAll(async () => {
  await recorder.stop()
})

/**
 * First the queue alone, because afterwards hardly any order comes so far. Then everything but the crash at once,
 * because each hits another service; the crash stops most of them.
 */
async function live(shop: Shop): Promise<void> {
  shop.setPace(journeysPerSecond)
  await served(shop, 100, 9_000)
  healthyOrders = await settled(0)
  healthyFigures = shop.figures()
  healthy = [...recorder.requests]
  await scenarioNamed('lost-messages').begin(shop)
  forgottenOrders = await settled(Date.now())
  for (const scenario of happened) await scenario.begin(shop)
  await served(shop, 100, 6_000)
  await scenarioNamed('dependency-down').begin(shop)
  await pause(3_000)
  processIds = [...shop.processes().values()]
}

/** So many more requests, and at least so long; a machine with other work gets more time. */
async function served(shop: Shop, requests: number, leastMs: number): Promise<void> {
  const enough = shop.figures().requests + requests
  await pause(leastMs)
  for (let more = 0; more < 50 && shop.figures().requests < enough; more++) await pause(500)
}

interface Order {
  readonly spanId: string
  readonly taken: boolean
}

/**
 * Waits for orders sent from then on whose fate is known: the queue is a queue, so once an order has been taken, every
 * one that the broker had before was taken as well, or never will be. What is still under way is none of them.
 */
async function settled(sinceMs: number): Promise<readonly Order[]> {
  const startedMs = Date.now()
  for (;;) {
    const all = readSpans(recorder.requests)
    const linked = new Set(all.flatMap(span => span.links.map(([, spanId]) => spanId)))
    const sent = all.filter(span => span.kind === 4 && !span.failed && span.startMs >= sinceMs)
    const lastTakenMs = Math.max(...sent.filter(span => linked.has(span.spanId)).map(span => span.startMs))
    const orders = sent
      .filter(span => span.startMs + span.durationMs < lastTakenMs)
      .map(({ spanId }) => ({ spanId, taken: linked.has(spanId) }))
    if (orders.length >= settledOrders || Date.now() - startedMs > orderPatienceMs) return orders
    await pause(500)
  }
}

const of =
  (service: string) =>
  (each: { readonly service: string }): boolean =>
    each.service === service

describe('a healthy shop', () => {
  it('serves its shoppers without a failure', () => {
    expect(healthyFigures.requests).toBeGreaterThan(40)
    expect(healthyFigures.failures).toBe(0)
  })

  it('sends all three signals from every service over the transport planned for it', () => {
    for (const { service, protocol } of services) {
      for (const signal of ['traces', 'logs', 'metrics'] as const) {
        const transports = recorder.requests
          .filter(request => request.signal === signal)
          .filter(request => everyString(request.message).has(service))
          .filter(request => sendersOf(request).includes(service))
          .map(request => request.transport)
        expect([service, signal, [...new Set(transports)]]).toEqual([service, signal, [protocol]])
      }
    }
  })

  it('reports nothing from the processes that have no telemetry, which their clients name', () => {
    const reporting = new Set(spans.map(span => span.service))
    expect(backing.filter(name => reporting.has(name))).toEqual([])
    const addressed = new Set(spans.map(span => span.attributes.get('server.address') ?? ''))
    expect(backing.filter(name => !addressed.has(name))).toEqual([])
  })

  it('tells instances and versions apart by resource', () => {
    for (const { service, version, instances } of services) {
      const mine = healthySpans.filter(of(service))
      expect(new Set(mine.map(span => span.instance)).size).toBe(instances)
      expect([...new Set(mine.map(span => span.resource.get('service.version')))]).toEqual([version])
    }
  })

  it('connects a checkout across seven services without a missing parent', () => {
    const order = healthySpans.filter(span => span.name === 'POST /checkout' && !span.failed)
    const traces = order.map(entry => spans.filter(span => span.traceId === entry.traceId))
    const complete = traces.filter(trace => trace.some(span => span.name === 'send orders'))
    expect(complete.length).toBeGreaterThan(0)
    for (const trace of complete) {
      expect([...new Set(trace.map(span => span.service))].sort()).toEqual([
        'cart',
        'catalog',
        'checkout',
        'gateway',
        'inventory',
        'payment',
        'shipping',
      ])
      const known = new Set(trace.map(span => span.spanId))
      expect(trace.filter(span => span.parentSpanId !== '' && !known.has(span.parentSpanId))).toEqual([])
    }
  })

  it('links every consumed order to the span that sent it, in another trace', () => {
    const sent = new Map(spans.filter(span => span.kind === 4).map(span => [span.spanId, span]))
    const consumed = spans.filter(span => span.kind === 5)
    expect(consumed.length).toBeGreaterThan(0)
    for (const span of consumed) {
      expect(span.links.length).toBe(Number(span.attributes.get('messaging.batch.message_count')))
      for (const [traceId, spanId] of span.links) {
        expect(sent.get(spanId)?.traceId).toBe(traceId)
        expect(traceId).not.toBe(span.traceId)
      }
    }
  })

  it('writes log lines within requests with the context of a span that was sent', () => {
    const known = new Set(spans.map(span => `${span.traceId} ${span.spanId}`))
    // Later some processes are killed with spans they have not sent.
    const within = healthyLogs.filter(log => log.traceId !== '')
    expect(within.length).toBeGreaterThan(100)
    expect(within.filter(log => !known.has(`${log.traceId} ${log.spanId}`))).toEqual([])
  })

  it('measures processor, memory, event loop and request durations in every instance', () => {
    const wanted = [
      'process.cpu.utilization',
      'process.cpu.time',
      'process.memory.usage',
      'nodejs.eventloop.delay.p99',
      'v8js.memory.heap.used',
    ]
    const instances = new Set(points.map(point => point.instance))
    expect(instances.size).toBeGreaterThanOrEqual(11)
    for (const instance of instances) {
      const measured = new Set(points.filter(point => point.instance === instance).map(point => point.metric))
      expect(wanted.filter(metric => !measured.has(metric))).toEqual([])
    }
    expect(points.filter(point => point.metric === 'http.server.request.duration').length).toBeGreaterThan(0)
    expect(
      points.filter(point => point.metric === 'messaging.queue.depth').map(point => point.kind),
    ).toContain('gauge')
  })
})

describe('what happens to the shop', () => {
  it('shows as failed charges in payment', () => {
    const refused = (all: readonly ReadLog[]) =>
      all.filter(of('payment')).filter(log => log.severity === 'ERROR' && log.body.includes('signing key 7'))
    expect(refused(healthyLogs)).toEqual([])
    const traces = new Set(refused(logs).map(log => log.traceId))
    expect(traces.size).toBeGreaterThan(0)
    const charges = spans.filter(span => span.name === 'POST /charges' && traces.has(span.traceId))
    expect(charges.length).toBeGreaterThan(0)
    expect(charges.filter(span => !span.failed)).toEqual([])
  })

  it('shows as quotes that wait for the rate table in shipping', () => {
    const longest = (all: readonly ReadSpan[]) =>
      Math.max(...all.filter(span => span.name === 'read rate table').map(span => span.durationMs))
    expect(longest(spans)).toBeGreaterThan(300)
    expect(longest(spans)).toBeGreaterThan(2 * longest(healthySpans))
  })

  it('shows as reservations that succeed without their statements and lines in inventory', () => {
    const empty = (all: readonly ReadSpan[]) => {
      const parents = new Set(all.map(span => span.parentSpanId))
      return all.filter(
        span => span.name === 'POST /reservations' && !span.failed && !parents.has(span.spanId),
      )
    }
    expect(empty(healthySpans)).toEqual([])
    const skipped = empty(spans)
    expect(skipped.length).toBeGreaterThan(0)
    const traces = new Set(skipped.map(span => span.traceId))
    expect(
      logs.filter(of('inventory')).filter(log => traces.has(log.traceId) && log.body.startsWith('reserved')),
    ).toEqual([])
    expect(healthyLogs.filter(log => log.body.startsWith('reserved')).length).toBeGreaterThan(0)
  })

  it('shows as processor time in recommendation', () => {
    const highest = Math.max(
      ...points
        .filter(of('recommendation'))
        .filter(point => point.metric === 'nodejs.eventloop.utilization')
        .map(point => point.value),
    )
    expect(highest).toBeGreaterThan(0.5)
  })

  it('shows as refused statements in the clients of the database', () => {
    const refused = spans.filter(span => span.failed && span.attributes.get('server.address') === 'stock-db')
    expect(new Set(refused.map(span => span.service))).toContain('catalog')
    expect(refused.map(span => span.attributes.get('error.type'))).toContain('ECONNREFUSED')
  })

  it('shows as a new version of cart in a new instance that fails', () => {
    const mine = spans.filter(of('cart'))
    const byVersion = Map.groupBy(mine, span => span.resource.get('service.version') ?? '')
    expect([...byVersion.keys()].sort()).toEqual(['1.8.2', '1.9.0'])
    const failedIn = (version: string) => byVersion.get(version)?.filter(span => span.failed).length ?? 0
    expect(failedIn('1.8.2')).toBe(0)
    expect(failedIn('1.9.0')).toBeGreaterThan(0)
  })

  it('shows as a second instance of payment of the same version after a restart', () => {
    const instances = new Set(points.filter(of('payment')).map(point => point.instance))
    expect(instances.size).toBe(2)
  })

  it('shows as nine statements of catalog where one was enough', () => {
    const perRequest = (all: readonly ReadSpan[]) => {
      const own = all.filter(of('catalog'))
      const entries = new Set(own.filter(span => span.kind === 2).map(span => span.spanId))
      const statements = own.filter(span => entries.has(span.parentSpanId))
      return Math.max(
        ...Map.groupBy(statements, span => span.parentSpanId)
          .values()
          .map(each => each.length),
      )
    }
    expect(perRequest(healthySpans)).toBe(1)
    expect(perRequest(spans)).toBe(9)
  })

  it('shows as a heap of catalog that grows', () => {
    const heaps = points.filter(of('catalog')).filter(point => point.metric === 'v8js.memory.heap.used')
    const growth = [...Map.groupBy(heaps, point => point.instance).values()].map(
      ([first, ...rest]) => Math.max(...rest.map(point => point.value)) / (first?.value ?? Number.NaN),
    )
    expect(Math.max(...growth)).toBeGreaterThan(1.5)
  })

  it('shows as orders that are sent and that nobody takes', () => {
    expect(healthyOrders.length).toBeGreaterThanOrEqual(settledOrders)
    expect(healthyOrders.filter(order => !order.taken)).toEqual([])
    expect(forgottenOrders.length).toBeGreaterThanOrEqual(settledOrders)
    const lost = forgottenOrders.filter(order => !order.taken)
    expect(lost.length).toBeGreaterThan(forgottenOrders.length / 4)
  })

  it('shows as gateway that asks inventory again and again', () => {
    const most = (all: readonly ReadSpan[]) => {
      const asked = all.filter(span => span.kind === 2 && span.name === 'GET /stock/{sku}')
      return Math.max(
        ...Map.groupBy(asked, span => span.traceId)
          .values()
          .map(each => each.length),
      )
    }
    expect(most(healthySpans)).toBe(1)
    expect(most(spans)).toBeGreaterThan(2)
  })

  it('shows as reads of the key-value store that take their time', () => {
    const reads = (all: readonly ReadSpan[]) =>
      all.filter(span => span.name === 'GET' && span.attributes.get('server.address') === 'cart-store')
    expect(Math.max(...reads(spans).map(span => span.durationMs))).toBeGreaterThan(190)
  })

  it('shows as requests to shipping that seem to begin after they were answered', () => {
    const byId = new Map(spans.map(span => [span.spanId, span]))
    const early = spans.filter(of('shipping')).filter(span => {
      const caller = byId.get(span.parentSpanId)
      return caller?.kind === 3 && span.startMs > caller.startMs + caller.durationMs + 5_000
    })
    expect(early.length).toBeGreaterThan(0)
  })

  it('is never named in telemetry', () => {
    const telling =
      /(?<!de)fault|inject|chaos|demo(?!nst)|simulat|mock|fake|scenario|experiment|swallow|misbehav/i
    const names = scenarios.map(scenario => scenario.name).filter(name => name.includes('-'))
    const strings = [...everyString(recorder.requests.map(request => request.message))].map(each =>
      each.replaceAll(root, ''),
    )
    expect(strings.length).toBeGreaterThan(500)
    expect(strings.filter(each => telling.test(each) || names.some(name => each.includes(name)))).toEqual([])
  })
})

it('loses no process that nobody stopped, and leaves none behind', () => {
  expect(lost).toEqual([])
  const alive = processIds.filter(pid => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  })
  expect(processIds.length).toBeGreaterThanOrEqual(14)
  expect(alive).toEqual([])
})

function sendersOf(request: Recorded): readonly string[] {
  const requests = [request]
  return [...readSpans(requests), ...readLogs(requests), ...readPoints(requests)].map(each => each.service)
}
