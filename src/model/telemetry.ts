/**
 * Telemetry as columns: what the decoders produce, what segments hold, what every reader walks.
 *
 * A block is plain data (typed arrays, strings), so that it can be transferred between threads, built by a
 * decoder, or read back from a segment, and the code above cannot tell which. Row `i` of every column
 * belongs to item `i`. The lossless form of an item is its OTLP protobuf message, in a `RecordTable`.
 * int64 nanoseconds are pairs of 32-bit halves; `model/time.ts` turns them into bigint or milliseconds.
 */

/** The three OTLP signals, in the order of `signals`. */
export type Signal = 'traces' | 'logs' | 'metrics'

export const signals: readonly Signal[] = ['traces', 'logs', 'metrics']

/** What identifies the emitter of an item, read once per Resource message. Empty string: not given. */
export interface ResourceEntry {
  /** `service.name`; `unknown_service` when absent. */
  readonly service: string
  /** `service.namespace` */
  readonly namespace: string
  /** `service.version` */
  readonly version: string
  /** `service.instance.id`, else `k8s.pod.name`, else `container.id`, else `host.name`. */
  readonly instance: string
  /** `cloud.region` */
  readonly region: string
  /** `deployment.environment.name`, else `deployment.environment`. */
  readonly environment: string
  /** `tenant.id` */
  readonly tenant: string
  /** `process.creation.time` or the pair of pid and runtime that tells one process from the next. */
  readonly process: string
  /** The opentelemetry.proto.resource.v1.Resource message as sent. */
  readonly bytes: Uint8Array
  /** `schema_url` of the ResourceSpans, ResourceLogs or ResourceMetrics. */
  readonly schemaUrl: string
}

export interface ScopeEntry {
  readonly name: string
  readonly version: string
  /** The opentelemetry.proto.common.v1.InstrumentationScope message as sent; empty if it was absent. */
  readonly bytes: Uint8Array
  /** `schema_url` of the ScopeSpans, ScopeLogs or ScopeMetrics. */
  readonly schemaUrl: string
}

/** Columns every signal has. */
export interface BlockBase {
  readonly count: number
  /** Texts the `Uint32Array` text columns point into; entry 0 is the empty string. */
  readonly strings: readonly string[]
  readonly resources: readonly ResourceEntry[]
  readonly scopes: readonly ScopeEntry[]
  /** Index into `resources`. */
  readonly resource: Uint32Array
  /** Index into `scopes`. */
  readonly scope: Uint32Array
  /** `itemFlags` bits. */
  readonly flags: Uint8Array
}

/** Marks of ours on an item that was kept although something about it is wrong. */
export const itemFlags = {
  /** The span ended before it started; its duration here is 0. */
  endBeforeStart: 1,
  /** Its time is more than an hour ahead of receipt; it is indexed by receive time. */
  future: 2,
  /** Its time was 0; it is indexed by observed or receive time. */
  noTime: 4,
  /** A link, exemplar or log record carried an id of wrong length, which was dropped. */
  badReference: 8,
  /** An attribute value was over ATTRIBUTE_MAX_BYTES and was cut. */
  truncated: 16,
} as const

export interface SpanBlock extends BlockBase {
  readonly signal: 'traces'
  /** 16 bytes an item. */
  readonly traceId: Uint8Array
  /** 8 bytes an item. */
  readonly spanId: Uint8Array
  /** 8 bytes an item; all zero for a root span. */
  readonly parentSpanId: Uint8Array
  /** Start, index time of the span: high and low half of unsigned nanoseconds since the epoch. */
  readonly startHi: Uint32Array
  readonly startLo: Uint32Array
  /** End; equals start where `endBeforeStart` is set. */
  readonly endHi: Uint32Array
  readonly endLo: Uint32Array
  /** SpanKind of the proto: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: Uint8Array
  /** Status.StatusCode of the proto: 0 unset, 1 ok, 2 error. */
  readonly status: Uint8Array
  /** Text column: span name. */
  readonly name: Uint32Array
  /** `http.response.status_code` (or older `http.status_code`), else 0. */
  readonly httpStatus: Uint16Array
  /** Text column: `error.type`, else `exception.type` of the first exception event, else empty. */
  readonly errorType: Uint32Array
  /** Text column: whom a client, producer or consumer span talks to; empty if unknown. See `peerKinds`. */
  readonly peer: Uint32Array
  /** One of `peerKinds`. */
  readonly peerKind: Uint8Array
  /** Number of span links, at most 255. */
  readonly links: Uint8Array
}

/** What the name in `SpanBlock.peer` is, by the attribute it was taken from, most telling first. */
export const peerKinds = {
  none: 0,
  /** `peer.service` */
  service: 1,
  /** `messaging.destination.name` (prefixed by `messaging.system:`) */
  messaging: 2,
  /** `db.system.name` or `db.system`, with `/` and `db.namespace` or `db.name` where given */
  database: 3,
  /** `server.address` or `net.peer.name`, with `:port` where given */
  address: 4,
} as const

export interface LogBlock extends BlockBase {
  readonly signal: 'logs'
  /** 16 bytes an item, zero if none. */
  readonly traceId: Uint8Array
  /** 8 bytes an item, zero if none. */
  readonly spanId: Uint8Array
  /** Index time: `time_unix_nano`, else observed time, else receipt. */
  readonly timeHi: Uint32Array
  readonly timeLo: Uint32Array
  /** SeverityNumber 1 to 24, from the number, else from the text; 0 if neither says. */
  readonly severity: Uint8Array
  /** Text column: `event_name`. */
  readonly eventName: Uint32Array
  /** Template id within the tenant, given by the engine; 0 before it has been there. */
  readonly template: Uint32Array
}

export type MetricType = 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary'

/** A metric without its points. */
export interface MetricEntry {
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly type: MetricType
  /** 0 unspecified, 1 delta, 2 cumulative. */
  readonly temporality: number
  readonly monotonic: boolean
  /** The Metric message as sent, with its data points left out. */
  readonly bytes: Uint8Array
}

/** One row per data point. */
export interface MetricBlock extends BlockBase {
  readonly signal: 'metrics'
  readonly metrics: readonly MetricEntry[]
  /** Index into `metrics`. */
  readonly metric: Uint32Array
  /** Index time of the point. */
  readonly timeHi: Uint32Array
  readonly timeLo: Uint32Array
  /** `start_time_unix_nano`, 0 if not given. */
  readonly startHi: Uint32Array
  readonly startLo: Uint32Array
  /** Value of a gauge or sum; sum of a histogram or summary (NaN if not given). */
  readonly value: Float64Array
  /** Count of a histogram or summary, else 1; 0 with the no-recorded-value flag. */
  readonly pointCount: Float64Array
  /** Text column: the point's attributes as canonical text `k=v,k=v`, keys sorted; what tells series apart. */
  readonly series: Uint32Array
}

export type Block = SpanBlock | LogBlock | MetricBlock

/**
 * Items as their own OTLP protobuf messages: Span, LogRecord, or the data point message of the metric's type.
 * Row `i` is `bytes[offset[i], offset[i] + length[i])`; length 0 means the row was not loaded.
 */
export interface RecordTable {
  readonly bytes: Uint8Array
  readonly offset: Uint32Array
  readonly length: Uint32Array
}

/** What was found in the lines of log records when they came; nothing of it is stored. */
export interface LineMarks {
  /** By row: number of the shape of its body, 0 where it has none that is known. Numbers are not used again. */
  readonly shape: Uint32Array
  /** By row: where its variables begin in `variables`. */
  readonly first: Uint32Array
  /** Where the variable begins, counted from the start of the text, times 2^16, and its length. */
  readonly variables: Uint32Array
}

/** The message of row `i`, a view and not a copy. */
export function recordOf(records: RecordTable, row: number): Uint8Array {
  const offset = records.offset[row] ?? 0
  return records.bytes.subarray(offset, offset + (records.length[row] ?? 0))
}

/** An item the receiver did not take: its index in the request, in order of appearance, and why. */
export interface Refusal {
  readonly index: number
  readonly reason: string
}

/** One decoded export request. Refused items have no row. */
export interface Batch<B extends Block = Block> {
  readonly block: B
  readonly records: RecordTable
  readonly refusals: readonly Refusal[]
  /** Things worth telling the sender although nothing was refused. */
  readonly warnings: readonly string[]
}
