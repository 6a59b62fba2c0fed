/**
 * A small made-up system whose truth is known: an entry point, services that call each other, a database
 * without telemetry, two instances of one service, a message consumer. One seed gives one history, as
 * OTLP/JSON export requests.
 */

/** What is wrong from `fromMs` on. */
export type Fault =
  | { readonly kind: 'slow'; readonly service: string; readonly ms: number; readonly instance?: string }
  | { readonly kind: 'network'; readonly service: string; readonly ms: number }
  | { readonly kind: 'failing'; readonly service: string; readonly share: number }
  | { readonly kind: 'skips_call'; readonly service: string; readonly callee: string }
  | {
      readonly kind: 'repeats_call'
      readonly service: string
      readonly callee: string
      readonly times: number
    }
  | { readonly kind: 'cpu'; readonly service: string }
  | { readonly kind: 'peer_down'; readonly peer: string }
  | { readonly kind: 'peer_slow'; readonly peer: string; readonly ms: number }
  | { readonly kind: 'release'; readonly service: string; readonly version: string; readonly share: number }
  | { readonly kind: 'harmless_release'; readonly service: string; readonly version: string }
  | { readonly kind: 'restart'; readonly service: string }
  | { readonly kind: 'traffic'; readonly factor: number }
  | { readonly kind: 'rare_operation' }
  | { readonly kind: 'busy_host' }
  | { readonly kind: 'none' }

export interface History {
  readonly seed: number
  readonly fromMs: number
  readonly toMs: number
  /** When the fault begins. */
  readonly faultMs: number
  readonly fault: Fault
  readonly requestsPerSecond: number
  /** Times as many requests come from `faultMs` on, besides the fault; 1 if not given. */
  readonly surge?: number
  /** The database takes so long for each query and serves one at a time; it serves all at once if not given. */
  readonly queueMs?: number
}

export interface Requests {
  readonly traces: readonly object[]
  readonly logs: readonly object[]
  readonly metrics: readonly object[]
}

interface Operation {
  readonly service: string
  readonly name: string
  /** Typical own time. */
  readonly ms: number
  readonly calls: readonly string[]
  /** How often a request ends up here, for entry operations. */
  readonly share?: number
}

/** Keys are what `calls` names; `db:` and `queue:` are a peer and a message. */
const operations: Readonly<Record<string, Operation>> = {
  browse: { service: 'gateway', name: 'GET /items', ms: 2, calls: ['list'], share: 0.7 },
  buy: { service: 'gateway', name: 'POST /orders', ms: 3, calls: ['place'], share: 0.28 },
  report: { service: 'gateway', name: 'GET /report', ms: 3, calls: ['audit'], share: 0.02 },
  list: { service: 'catalog', name: 'GET /list', ms: 6, calls: ['stock', 'suggest'] },
  suggest: { service: 'advice', name: 'GET /suggest', ms: 4, calls: [] },
  place: { service: 'orders', name: 'POST /place', ms: 5, calls: ['charge', 'reserve', 'queue:parcel'] },
  charge: { service: 'billing', name: 'POST /charge', ms: 8, calls: [] },
  stock: { service: 'storage', name: 'GET /stock', ms: 2, calls: ['db:stockdb'] },
  reserve: { service: 'storage', name: 'POST /reserve', ms: 3, calls: ['db:stockdb'] },
  parcel: { service: 'shipper', name: 'parcel process', ms: 7, calls: [] },
  audit: { service: 'audits', name: 'GET /audit', ms: 5, calls: [] },
}

export const services: readonly string[] = [
  'gateway',
  'catalog',
  'advice',
  'orders',
  'billing',
  'storage',
  'shipper',
  'audits',
]

interface SpanJson {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status?: { readonly code: number }
  readonly attributes: readonly object[]
}

interface Emitter {
  readonly service: string
  readonly instance: string
  readonly version: string
}

/** Mulberry32: small, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function makeHistory(history: History): Requests {
  return new Generator(history).run()
}

class Generator {
  readonly #history: History
  readonly #random: () => number
  readonly #spans: { emitter: Emitter; span: SpanJson }[] = []
  readonly #logs: { emitter: Emitter; record: object }[] = []
  readonly #traces: object[] = []
  readonly #logRequests: object[] = []
  /** Times at which the database is busy, where it serves one query at a time. */
  readonly #busy: { readonly fromMs: number; readonly toMs: number }[] = []
  #ids = 0

  constructor(history: History) {
    this.#history = history
    this.#random = seeded(history.seed)
  }

  run(): Requests {
    const { fromMs, toMs, faultMs, fault, requestsPerSecond } = this.#history
    const factor = fault.kind === 'traffic' ? fault.factor : (this.#history.surge ?? 1)
    let at = fromMs
    while (at < toMs) {
      const surge = at >= faultMs ? factor : 1
      at += (-Math.log(1 - this.#random()) * 1000) / (requestsPerSecond * surge)
      this.#request(at)
      if (this.#spans.length > 200) this.#flush()
    }
    this.#flush()
    return { traces: this.#traces, logs: this.#logRequests, metrics: this.#metrics() }
  }

  #request(startMs: number): void {
    let pick = this.#random()
    const entries = Object.entries(operations).filter(([, operation]) => operation.share !== undefined)
    const entry =
      entries.find(([, operation]) => {
        pick -= operation.share ?? 0
        return pick < 0
      }) ?? entries[0]
    if (entry === undefined) return
    const traceId = this.#id(32)
    this.#serve(entry[0], { traceId, parentSpanId: '', startMs })
  }

  /** Serves an operation; returns its end and whether it failed. */
  #serve(
    key: string,
    call: { readonly traceId: string; readonly parentSpanId: string; readonly startMs: number },
    kind = 2,
  ): { endMs: number; failed: boolean } {
    const operation = operations[key]
    if (operation === undefined) throw new Error(`no operation ${key}`)
    const emitter = this.#emitter(operation.service, call.startMs)
    const spanId = this.#id(16)
    const own = this.#ownTime(operation, emitter, call.startMs)
    let at = call.startMs + own / 2
    let failed = this.#failsItself(operation, emitter, call.startMs)
    this.#log(emitter, call.traceId, spanId, at, 9, `handling ${operation.name}`)
    if (failed) {
      const reason = this.#on(call.startMs) ? 'bad state 17' : 'connection reset'
      this.#log(emitter, call.traceId, spanId, at, 17, `${operation.name} failed: ${reason}`)
    }
    for (const callee of failed ? [] : operation.calls) {
      if (this.#skips(operation.service, callee, call.startMs)) {
        continue
      }
      for (let left = this.#times(operation.service, callee, call.startMs); left > 0 && !failed; left--) {
        const inner = { traceId: call.traceId, parentSpanId: spanId, startMs: at }
        const result = this.#call(emitter, callee, inner)
        at = result.endMs + 0.1
        failed = result.failed
      }
      if (failed) break
    }
    const endMs = at + own / 2
    this.#emit(emitter, {
      ...this.#span(call.traceId, spanId, call.parentSpanId, operation.name, kind),
      ...times(call.startMs, endMs),
      ...(failed ? { status: { code: 2 } } : {}),
      attributes: [],
    })
    return { endMs, failed }
  }

  #call(
    caller: Emitter,
    callee: string,
    call: { readonly traceId: string; readonly parentSpanId: string; readonly startMs: number },
  ): { endMs: number; failed: boolean } {
    const spanId = this.#id(16)
    const [scheme, name = ''] = callee.includes(':') ? callee.split(':') : ['rpc', callee]
    if (scheme === 'queue') {
      const endMs = call.startMs + 0.5
      this.#emit(caller, {
        ...this.#span(call.traceId, spanId, call.parentSpanId, `${name} publish`, 4),
        ...times(call.startMs, endMs),
        attributes: [attribute('messaging.system', 'kafka'), attribute('messaging.destination.name', name)],
      })
      this.#serve(name, { traceId: call.traceId, parentSpanId: spanId, startMs: endMs + 5 }, 5)
      return { endMs, failed: false }
    }
    if (scheme === 'db') return this.#query(caller, name, spanId, call)
    const operation = operations[callee]
    const gap = 0.6 * (0.7 + 0.6 * this.#random()) + this.#networkMs(operation?.service ?? '', call.startMs)
    const result = this.#serve(callee, {
      traceId: call.traceId,
      parentSpanId: spanId,
      startMs: call.startMs + gap / 2,
    })
    const endMs = result.endMs + gap / 2
    this.#emit(caller, {
      ...this.#span(call.traceId, spanId, call.parentSpanId, `call ${operation?.name ?? callee}`, 3),
      ...times(call.startMs, endMs),
      ...(result.failed ? { status: { code: 2 } } : {}),
      attributes: [attribute('server.address', operation?.service ?? callee)],
    })
    return { endMs, failed: result.failed }
  }

  #query(
    caller: Emitter,
    peer: string,
    spanId: string,
    call: { readonly traceId: string; readonly parentSpanId: string; readonly startMs: number },
  ): { endMs: number; failed: boolean } {
    const { fault } = this.#history
    const down = fault.kind === 'peer_down' && fault.peer === peer && this.#on(call.startMs)
    const slow = fault.kind === 'peer_slow' && fault.peer === peer && this.#on(call.startMs) ? fault.ms : 0
    const { queueMs } = this.#history
    const own = queueMs === undefined ? 1.5 * this.#jitter() : queueMs * this.#jitter()
    const begunMs = queueMs === undefined || down ? call.startMs : this.#turn(call.startMs, own + slow)
    const endMs = down ? call.startMs + 0.3 : begunMs + own + slow
    this.#emit(caller, {
      ...this.#span(call.traceId, spanId, call.parentSpanId, 'query stock', 3),
      ...times(call.startMs, endMs),
      ...(down ? { status: { code: 2 } } : {}),
      attributes: [attribute('peer.service', peer)],
    })
    return { endMs, failed: down }
  }

  /** Takes the first time from `fromMs` on at which the database is idle for so long. */
  #turn(fromMs: number, forMs: number): number {
    let at = fromMs
    let index = this.#busy.findIndex(busy => busy.toMs > at)
    if (index < 0) index = this.#busy.length
    for (let next = this.#busy[index]; next !== undefined; next = this.#busy[++index]) {
      if (next.fromMs >= at + forMs) break
      at = Math.max(at, next.toMs)
    }
    this.#busy.splice(index, 0, { fromMs: at, toMs: at + forMs })
    // Nobody asks for a turn as long ago as that.
    if (this.#busy.length > 4000) this.#busy.splice(0, 2000)
    return at
  }

  #on(ms: number): boolean {
    return ms >= this.#history.faultMs
  }

  #ownTime(operation: Operation, emitter: Emitter, ms: number): number {
    const { fault } = this.#history
    const usual = operation.ms * this.#jitter()
    if (!this.#on(ms)) return usual
    // One in four pieces of work anywhere waits for a processor.
    if (fault.kind === 'busy_host') return this.#random() < 0.25 ? usual * 4 : usual
    if (fault.kind === 'slow' && fault.service === operation.service) {
      return (fault.instance ?? emitter.instance) === emitter.instance ? usual + fault.ms : usual
    }
    if (fault.kind === 'cpu' && fault.service === operation.service) return usual * 4 + 10 * this.#random()
    return usual
  }

  #networkMs(service: string, ms: number): number {
    const { fault } = this.#history
    return fault.kind === 'network' && fault.service === service && this.#on(ms) ? fault.ms : 0
  }

  #failsItself(operation: Operation, emitter: Emitter, ms: number): boolean {
    const { fault } = this.#history
    const chance = this.#random()
    if (!this.#on(ms)) return chance < 0.002
    if (fault.kind === 'failing' && fault.service === operation.service) return chance < fault.share
    if (fault.kind === 'release' && emitter.version === fault.version) return chance < fault.share
    if (fault.kind === 'rare_operation' && operation.service === 'audits') return true
    return chance < 0.002
  }

  #skips(service: string, callee: string, ms: number): boolean {
    const { fault } = this.#history
    if (fault.kind !== 'skips_call' || !this.#on(ms)) return false
    return fault.service === service && fault.callee === callee
  }

  /** How often a call is made: once, or for every row. */
  #times(service: string, callee: string, ms: number): number {
    const { fault } = this.#history
    if (fault.kind !== 'repeats_call' || !this.#on(ms)) return 1
    return fault.service === service && fault.callee === callee ? fault.times : 1
  }

  #emitter(service: string, ms: number): Emitter {
    const { fault } = this.#history
    const replica = service === 'catalog' ? (this.#random() < 0.5 ? 'a' : 'b') : 'a'
    const changed = this.#on(ms) && 'service' in fault && fault.service === service
    const fresh = changed && (fault.kind === 'restart' || fault.kind === 'harmless_release')
    const released = changed && (fault.kind === 'release' || fault.kind === 'harmless_release')
    return {
      service,
      instance: `${service}-${replica}${fresh || released ? '-2' : ''}`,
      version: released ? fault.version : '1.0.0',
    }
  }

  /** Log-normal around one, with the tail real services have. */
  #jitter(): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
    return Math.exp(0.25 * normal)
  }

  #id(digits: number): string {
    this.#ids++
    let text = this.#ids.toString(16)
    while (text.length < digits) text += Math.floor(this.#random() * 16).toString(16)
    return text.slice(0, digits)
  }

  #span(traceId: string, spanId: string, parentSpanId: string, name: string, kind: number) {
    return { traceId, spanId, ...(parentSpanId === '' ? {} : { parentSpanId }), name, kind }
  }

  #emit(emitter: Emitter, span: SpanJson): void {
    this.#spans.push({ emitter, span })
  }

  #log(emitter: Emitter, traceId: string, spanId: string, ms: number, severity: number, text: string): void {
    const timeUnixNano = nanoseconds(ms)
    const body = { stringValue: text }
    this.#logs.push({ emitter, record: { timeUnixNano, severityNumber: severity, body, traceId, spanId } })
  }

  #flush(): void {
    if (this.#spans.length === 0) return
    this.#traces.push({
      resourceSpans: this.#spans.map(({ emitter, span }) => ({
        resource: resource(emitter),
        scopeSpans: [{ spans: [span] }],
      })),
    })
    this.#logRequests.push({
      resourceLogs: this.#logs.map(({ emitter, record }) => ({
        resource: resource(emitter),
        scopeLogs: [{ logRecords: [record] }],
      })),
    })
    this.#spans.length = 0
    this.#logs.length = 0
  }

  /** CPU utilization and heap of every service, every five seconds. */
  #metrics(): object[] {
    const { fromMs, toMs, fault } = this.#history
    return services.map(service => {
      const cpu: object[] = []
      const heap: object[] = []
      for (let at = fromMs; at < toMs; at += 5000) {
        const burning = fault.kind === 'cpu' && fault.service === service && this.#on(at)
        const timeUnixNano = nanoseconds(at)
        cpu.push({ timeUnixNano, asDouble: burning ? 0.9 + 0.05 * this.#random() : 0.05 * this.#jitter() })
        heap.push({ timeUnixNano, asDouble: 5e7 * this.#jitter() })
      }
      const metrics = [
        { name: 'process.cpu.utilization', unit: '1', gauge: { dataPoints: cpu } },
        { name: 'process.memory.usage', unit: 'By', gauge: { dataPoints: heap } },
      ]
      const emitter = { service, instance: `${service}-a`, version: '1.0.0' }
      return { resourceMetrics: [{ resource: resource(emitter), scopeMetrics: [{ metrics }] }] }
    })
  }
}

function resource({ service, instance, version }: Emitter): object {
  return {
    attributes: [
      attribute('service.name', service),
      attribute('service.instance.id', instance),
      attribute('service.version', version),
    ],
  }
}

function attribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } }
}

function times(startMs: number, endMs: number): { startTimeUnixNano: string; endTimeUnixNano: string } {
  return { startTimeUnixNano: nanoseconds(startMs), endTimeUnixNano: nanoseconds(endMs) }
}

function nanoseconds(ms: number): string {
  return BigInt(Math.round(ms * 1e6)).toString()
}
