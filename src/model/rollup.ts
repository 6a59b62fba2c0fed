/**
 * Rollups as readers see them: counts, errors, times and a latency sketch per thing and time window.
 * `graph/rollups` builds, encodes and adds them up; stores hold them as opaque bytes.
 */

/**
 * What a series is about, and the parts of its key:
 * - `service`   [service]: requests, i.e. root, SERVER and CONSUMER spans
 * - `operation` [service, span name, kind number]: spans
 * - `edge`      [caller, callee, connection, callee kind]: calls, charged once, seen from the client where
 *               there is one. `connection` is `rpc`, `messaging`, `link`, `database`, `external` or `metric`;
 *               callee kind is `service` or `peer` (a peer sends no telemetry of its own)
 * - `instance`  [service, instance, version, process]: requests
 * - `severity`  [service, severity class: trace debug info warn error fatal]: log records
 * - `template`  [service, template id as sixteen hex digits]: log records
 * - `metric`    [service, metric name, instance, attributes, unit, type]: data points; for cumulative sums
 *               `sum` holds increases, resets handled; `last`, `min`, `max` hold values
 */
export type RollupKind = 'service' | 'operation' | 'edge' | 'instance' | 'severity' | 'template' | 'metric'

/** One series over consecutive windows; index `i` is the window that starts at `fromMs + i * stepSeconds * 1000`. */
export interface RollupSeries {
  readonly kind: RollupKind
  readonly key: readonly string[]
  /** Calls, spans, records or points. */
  readonly count: Float64Array
  /**
   * Of these, failed: span status error, or without one an HTTP status of 500 and over on the server side.
   * `metric`: times a cumulative series began anew.
   */
  readonly errors: Float64Array
  /** Sum of durations in ms; for `metric` the sum of values or increases. */
  readonly sum: Float64Array
  /**
   * `service` and `operation`: sum of self time in ms (concurrent children counted once);
   * `edge`: sum of client minus server duration in ms, over `paired` calls; `metric`: last value.
   */
  readonly self: Float64Array
  /** `edge`: calls whose server span was seen too; `metric`: windows' minimum. */
  readonly paired: Float64Array
  /** Largest duration in ms; for `metric` the largest value. */
  readonly max: Float64Array
  /**
   * True where no cell takes anything back, so that totals are the sums of what windows show. Not said of series
   * by window.
   */
  readonly onlyAdded?: boolean
  /** Sum of a column over all windows, in its unit, without the column being spread out; not for `metric`. */
  total(column: 'count' | 'errors' | 'sum' | 'self' | 'paired'): number
  /** Duration quantile over windows [from, to), or NaN without data. Relative error at most 2 %. */
  quantile(q: number, from?: number, to?: number): number
  /** How many of the durations in windows [from, to) exceed `ms`; within the sketch's error. */
  countAbove(ms: number, from?: number, to?: number): number
}

export interface RollupView {
  readonly fromMs: number
  readonly toMs: number
  readonly stepSeconds: number
  /** Number of windows. */
  readonly length: number
  /** Series of a kind, sorted by key; `service` keeps those whose first key part is one of it (or callee, for edges). */
  series(kind: RollupKind, service?: string): readonly RollupSeries[]
  /** One of them, without the others being built; undefined where it has no cell. */
  find(kind: RollupKind, key: readonly string[]): RollupSeries | undefined
}

/** Kinds whose cells can be added up over time: counts, errors, times and sketches. */
export type TotalKind = 'service' | 'operation' | 'edge' | 'instance'

/** Sums over all windows of a view. */
export interface RollupTotals {
  /** Of one window. */
  readonly view: RollupView
  /** Windows of the view it was added up from, and their width. */
  readonly windows: number
  readonly windowSeconds: number
}
