/** Traffic of a small shop with known faults: web calls cart and pay, pay calls a database without telemetry. */

import type { ComparedViews } from '../../src/graph/compared-views.ts'
import { rollupView } from '../../src/graph/rollups/rollup-view.ts'
import { type GraphCut, TenantGraph } from '../../src/graph/tenant-graph.ts'
import { normals, random } from './seeded-random.ts'
import {
  epochMs,
  kinds,
  logBatch,
  metricBatch,
  spanBatch,
  type TestLog,
  type TestPoint,
  type TestSpan,
} from './telemetry-batches.ts'

/** What happens at a request; times in seconds behind the start of the window. */
export interface Traffic {
  readonly seed?: number
  readonly requestsPerSecond?: (second: number) => number
  readonly payFails?: (second: number) => boolean
  readonly databaseMs?: (second: number) => number
  readonly payInstance?: (second: number) => { instance: string; version: string; process: string }
  readonly cartIsCalled?: (second: number) => boolean
  readonly payLogs?: (second: number) => string | null
  readonly payCpu?: (second: number) => number
}

export const baselineSeconds = 600
export const windowSeconds = 480
const secondsPerBatch = 30

/** Views of the eight minutes behind `epochMs` and of the ten minutes before. */
export function shopViews(traffic: Traffic, stepSeconds = 10): ComparedViews & { readonly cut: GraphCut } {
  const uniform = random(traffic.seed ?? 1)
  const noise = normals(uniform, 4_000)
  const graph = new TenantGraph({ tenant: 't', templates: [] })
  let id = 1
  let trace = 1
  let spans: TestSpan[] = []
  let logs: TestLog[] = []
  let points: TestPoint[] = []
  for (let second = -baselineSeconds; second < windowSeconds; second++) {
    const rate = traffic.requestsPerSecond?.(second) ?? 4
    for (let i = 0; i < rate; i++) {
      const startMs = second * 1000 + Math.floor(uniform() * 900)
      const database = Math.max(
        1,
        Math.round((traffic.databaseMs?.(second) ?? 20) * (1 + 0.3 * (noise[id % 4_000] ?? 0))),
      )
      spans.push(...requestSpans({ traffic, second, startMs, database, id, trace: trace++ }))
      id += 10
      logs.push({ service: 'pay', body: `charged card of order ${id}`, atMs: startMs })
    }
    const line = traffic.payLogs?.(second) ?? null
    if (line !== null) logs.push({ service: 'pay', body: line, atMs: second * 1000, severity: 17 })
    const cpu = (traffic.payCpu?.(second) ?? 0.3) + 0.02 * (noise[(second + 2_000) % 4_000] ?? 0)
    points.push({ service: 'pay', instance: 'pay-1', metric: 'cpu', atMs: second * 1000, value: cpu })
    if (second % secondsPerBatch !== 0 && second + 1 < windowSeconds) continue
    for (const batch of [spanBatch(spans), logBatch(logs), metricBatch(points)]) graph.ingest(batch, epochMs)
    spans = []
    logs = []
    points = []
  }
  const cut = graph.cut('shop')
  return {
    cut,
    window: rollupView(cut.rollups, { fromMs: epochMs, toMs: epochMs + windowSeconds * 1000 }, stepSeconds),
    baseline: rollupView(
      cut.rollups,
      { fromMs: epochMs - baselineSeconds * 1000, toMs: epochMs },
      stepSeconds,
    ),
  }
}

function requestSpans(of: {
  readonly traffic: Traffic
  readonly second: number
  readonly startMs: number
  readonly database: number
  readonly id: number
  readonly trace: number
}): TestSpan[] {
  const { traffic, second, startMs, database, id, trace } = of
  const failed = traffic.payFails?.(second) ?? false
  const at = { trace, failed: false }
  const pay = traffic.payInstance?.(second) ?? { instance: 'pay-1', version: '1.0', process: '100' }
  const spans: TestSpan[] = [
    { ...at, service: 'web', id, name: 'POST /buy', startMs, durationMs: database + 20, failed },
    {
      ...at,
      service: 'web',
      id: id + 1,
      parent: id,
      kind: kinds.client,
      name: 'pay',
      startMs: startMs + 2,
      durationMs: database + 12,
      failed,
    },
    {
      ...at,
      ...pay,
      service: 'pay',
      id: id + 2,
      parent: id + 1,
      name: 'Charge',
      startMs: startMs + 3,
      durationMs: database + 10,
      failed,
    },
    {
      ...at,
      ...pay,
      service: 'pay',
      id: id + 3,
      parent: id + 2,
      kind: kinds.client,
      name: 'INSERT',
      startMs: startMs + 5,
      durationMs: database,
      peer: 'postgresql/shop',
    },
  ]
  if (traffic.cartIsCalled?.(second) ?? true) {
    spans.push(
      {
        ...at,
        service: 'web',
        id: id + 4,
        parent: id,
        kind: kinds.client,
        name: 'cart',
        startMs: startMs + 1,
        durationMs: 5,
      },
      {
        ...at,
        service: 'cart',
        id: id + 5,
        parent: id + 4,
        name: 'GetCart',
        startMs: startMs + 2,
        durationMs: 3,
      },
    )
  }
  return spans
}
