/**
 * A small system with a fault, as requests in OTLP/JSON: a dozen services that call each other, healthy at first,
 * until in the last minutes one of them becomes slow and fails, which its callers pass on. The same for the same end.
 */
import { type SeededRandom, seededRandom } from '../../src/cli/load/seeded-random.ts'

/** The service at fault. */
export const faultyService = 'pricing'

/** What each service calls, one after the other, and how long it works itself, milliseconds at the median. */
const services: Readonly<Record<string, { readonly calls: readonly string[]; readonly selfMs: number }>> = {
  front: { calls: [], selfMs: 2 },
  basket: { calls: ['pricing', 'stock'], selfMs: 4 },
  quotes: { calls: ['pricing', 'loyalty'], selfMs: 3 },
  orders: { calls: ['basket', 'invoices', 'parcels'], selfMs: 6 },
  accounts: { calls: ['profiles', 'loyalty'], selfMs: 3 },
  pricing: { calls: ['tax'], selfMs: 8 },
  tax: { calls: [], selfMs: 2 },
  stock: { calls: ['depot'], selfMs: 3 },
  depot: { calls: [], selfMs: 5 },
  invoices: { calls: ['mailer'], selfMs: 7 },
  mailer: { calls: [], selfMs: 9 },
  parcels: { calls: ['depot'], selfMs: 4 },
  loyalty: { calls: [], selfMs: 2 },
  profiles: { calls: [], selfMs: 2 },
}
/** What `front` is asked for, and whom it asks. */
const entries = ['basket', 'quotes', 'orders', 'accounts'] as const

const tracesPerSecond = 3
const slowdown = 6
const failedShare = 0.3
/** On each side of a call. */
const networkMs = 0.3
const tracesPerRequest = 50

interface Span {
  readonly service: string
  readonly json: object
}

interface Walk {
  readonly random: SeededRandom
  readonly traceId: string
  readonly isFaulty: boolean
  readonly spans: Span[]
}

interface Ended {
  readonly endMs: number
  readonly failed: boolean
}

function hex(random: SeededRandom, words: number): string {
  return Array.from({ length: words }, () => random.bits().toString(16).padStart(8, '0')).join('')
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n)
}

function spanOf(
  walk: Walk,
  span: { readonly id: string; readonly parent: string; readonly name: string; readonly kind: number },
  [startMs, endMs]: readonly [number, number],
  failed: boolean,
): object {
  return {
    traceId: walk.traceId,
    spanId: span.id,
    parentSpanId: span.parent,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: [{ key: 'http.response.status_code', value: { intValue: failed ? 500 : 200 } }],
    status: failed ? { code: 2 } : {},
  }
}

/** A server span of the service with all that it calls. */
function serve(
  walk: Walk,
  service: string,
  parent: string,
  startMs: number,
  callees: readonly string[],
): Ended {
  const { random, spans } = walk
  const id = hex(random, 2)
  const atFault = walk.isFaulty && service === faultyService
  const ownMs = (services[service]?.selfMs ?? 1) * random.skewed() * (atFault ? slowdown : 1)
  let failed = atFault && random.next() < failedShare
  let nowMs = startMs + ownMs / 2
  for (const callee of callees) {
    const call = hex(random, 2)
    const from = nowMs
    const answer = serve(walk, callee, call, from + networkMs, services[callee]?.calls ?? [])
    nowMs = answer.endMs + networkMs
    failed ||= answer.failed
    const client = { id: call, parent: id, name: `POST /${callee}`, kind: 3 }
    spans.push({ service, json: spanOf(walk, client, [from, nowMs], answer.failed) })
  }
  const endMs = nowMs + ownMs / 2
  const server = { id, parent, name: `POST /${service}`, kind: 2 }
  spans.push({ service, json: spanOf(walk, server, [startMs, endMs], failed) })
  return { endMs, failed }
}

function requestOf(spans: readonly Span[]): string {
  const resourceSpans = [...Map.groupBy(spans, span => span.service)].map(([service, members]) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [{ spans: members.map(member => member.json) }],
  }))
  return JSON.stringify({ resourceSpans })
}

export interface FaultyPlan {
  /** Milliseconds since the epoch. */
  readonly fromMs: number
  readonly faultMs: number
  readonly untilMs: number
}

/** The requests in the order of their times. */
export function* faultySystem({ fromMs, faultMs, untilMs }: FaultyPlan): Generator<string> {
  const random = seededRandom(0xfa17)
  let spans: Span[] = []
  const traces = Math.floor(((untilMs - fromMs) / 1_000) * tracesPerSecond)
  for (let trace = 0; trace < traces; trace++) {
    const startMs = fromMs + (trace * 1_000) / tracesPerSecond
    const walk = { random, traceId: hex(random, 4), isFaulty: startMs >= faultMs, spans }
    serve(walk, 'front', '', startMs, [entries[trace % entries.length] ?? 'basket'])
    if ((trace + 1) % tracesPerRequest !== 0 && trace + 1 < traces) continue
    yield requestOf(spans)
    spans = []
  }
}
