/** Requests of spans: traces that walk the call plan, cut into batches as SDKs or a collector would. */
import type { CallPlan } from './call-plan.ts'
import type { LoadProfile, SignalPlan } from './load-profile.ts'
import { groupByService, stringValue } from './otlp-json.ts'
import { type Batch, type PlacedItem, RequestBatches } from './request-batches.ts'
import type { Marks } from './request-marks.ts'
import type { TemplateSource } from './request-template.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface TrafficParts {
  readonly profile: LoadProfile
  readonly calls: CallPlan
  readonly marks: Marks
  readonly random: SeededRandom
}

/** In the order in which they are sent. */
export function traceRequests(parts: TrafficParts, plan: SignalPlan): readonly TemplateSource[] {
  const { profile } = parts
  const traces = Math.max(1, Math.round(plan.items / profile.spansPerTrace))
  const walker = new TraceWalker(parts)
  const batches = new RequestBatches(profile, plan)
  for (let trace = 0; trace < traces; trace++) {
    const startMs = (trace / traces) * plan.spanMs
    for (const span of walker.trace(startMs)) batches.add(span, (trace + 1) / traces)
  }
  return batches.finish().map(batch => requestOf(parts, batch))
}

function requestOf({ calls }: TrafficParts, { items, at }: Batch): TemplateSource {
  const json = JSON.stringify({
    resourceSpans: groupByService(calls, items).map(({ resource, items: spans }) => ({
      resource,
      scopeSpans: [{ scope: { name: 'otelcontext.load', version: '1' }, spans }],
    })),
  })
  return { signal: 'traces', items: items.length, at, json }
}

interface Call {
  readonly service: number
  /** Mark of the parent's span id, empty for the root. */
  readonly parent: string
  readonly startNs: bigint
  readonly durationNs: number
}

class TraceWalker {
  readonly #parts: TrafficParts
  /** The next callee of each service, so that all edges are used alike. */
  readonly #nextCallee: number[]
  #nextEntry = 0

  constructor(parts: TrafficParts) {
    this.#parts = parts
    this.#nextCallee = parts.calls.services.map(() => 0)
  }

  /** The spans of one trace that starts `startMs` into the round. */
  trace(startMs: number): readonly PlacedItem[] {
    const { profile, marks, random } = this.#parts
    const spans: PlacedItem[] = []
    const failed = random.next() < profile.errorShare
    // Sixteen bytes: a mark, and eight more that need not change and cannot look like one.
    const traceId = `${marks.id()}${hexOf(random.bits() & 0x7f7f7f7f)}${hexOf(random.bits() & 0x7f7f7f7f)}`
    const entry = this.#entry()
    const startNs = BigInt(Math.round(startMs * 1e6)) + BigInt(random.below(1_000_000))
    const queue: Call[] = [
      { service: entry, parent: '', startNs, durationNs: Math.round(40e6 * random.skewed()) },
    ]
    while (spans.length < profile.spansPerTrace) {
      const call = queue.shift()
      if (call === undefined) break
      const spanId = marks.id()
      spans.push(this.#span(call, 2, traceId, spanId, failed))
      const callees = this.#parts.calls.callees[call.service] ?? []
      const fan = Math.min(callees.length, 1 + random.below(3))
      for (let n = 0; n < fan && spans.length + queue.length + 2 <= profile.spansPerTrace; n++) {
        const turn = this.#nextCallee[call.service] ?? 0
        this.#nextCallee[call.service] = turn + 1
        const callee = callees[turn % callees.length] ?? call.service
        const durationNs = Math.round((call.durationNs * (0.5 + random.next() * 0.4)) / fan)
        const began = call.startNs + BigInt(Math.round((call.durationNs * (n + 0.05)) / fan))
        const client: Call = { service: call.service, parent: spanId, startNs: began, durationNs }
        const clientId = marks.id()
        spans.push(this.#span(client, 3, traceId, clientId, failed, callee))
        queue.push({
          service: callee,
          parent: clientId,
          startNs: began + BigInt(Math.round(durationNs * 0.04)),
          durationNs: Math.round(durationNs * 0.92),
        })
      }
    }
    return spans
  }

  /** The service with most edges that are not used yet, then all in turn. */
  #entry(): number {
    const { callees, services } = this.#parts.calls
    let entry = this.#nextEntry
    let most = 0
    for (let service = 0; service < services.length; service++) {
      const unused = (callees[service]?.length ?? 0) - (this.#nextCallee[service] ?? 0)
      if (unused > most) {
        entry = service
        most = unused
      }
    }
    if (most === 0) this.#nextEntry = (this.#nextEntry + 1) % services.length
    return entry
  }

  #span(
    call: Call,
    kind: number,
    traceId: string,
    spanId: string,
    failed: boolean,
    callee = call.service,
  ): PlacedItem {
    const { profile, marks, random, calls } = this.#parts
    const operation = random.below(profile.operations)
    const method = operation % 2 === 0 ? 'GET' : 'POST'
    const json = {
      traceId,
      spanId,
      ...(call.parent === '' ? {} : { parentSpanId: call.parent }),
      flags: 257,
      name: `${method} /api/v1/resource${operation}/{id}`,
      kind,
      startTimeUnixNano: marks.time(call.startNs),
      endTimeUnixNano: marks.time(call.startNs + BigInt(call.durationNs)),
      attributes: this.#attributes(operation, failed, calls.services[callee] ?? ''),
      ...(failed ? { status: { code: 2, message: 'upstream answered 500' } } : {}),
    }
    return { service: call.service, json }
  }

  #attributes(operation: number, failed: boolean, peer: string): readonly object[] {
    const { profile, marks, random } = this.#parts
    const attributes = [
      stringValue('http.request.method', operation % 2 === 0 ? 'GET' : 'POST'),
      stringValue('http.route', `/api/v1/resource${operation}/{id}`),
      stringValue('url.path', `/api/v1/resource${operation}/${random.below(1_000_000)}`),
      { key: 'http.response.status_code', value: { intValue: failed ? 500 : 200 } },
      stringValue('server.address', `${peer}.internal`),
      { key: 'server.port', value: { intValue: 8080 } },
      stringValue('user.id', `user-${random.below(50_000)}`),
      stringValue('network.protocol.version', '1.1'),
      { key: 'thread.id', value: { intValue: random.below(64) } },
      stringValue('order.reference', marks.hex()),
    ]
    for (let n = attributes.length; n < profile.attributes; n++)
      attributes.push(stringValue(`app.detail.${n}`, `value-${random.below(1_000)}`))
    return attributes.slice(0, profile.attributes)
  }
}

function hexOf(bits: number): string {
  return bits.toString(16).padStart(8, '0')
}
