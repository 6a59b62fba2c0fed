/** One span on its way from a block into the join, and what the join tells about spans that met. */

/** SpanKind numbers of the proto. */
export const spanKind = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
} as const

/** Numbers of edge connections, in the order of `connections`. */
export const connection = { rpc: 0, messaging: 1, link: 2, database: 3, external: 4, metric: 5 } as const

/** Texts of `connection`, as they stand in edge keys. */
export const connections: readonly string[] = ['rpc', 'messaging', 'link', 'database', 'external', 'metric']

/** Reused for every span: allocating one per span would cost more than the rest of the join. */
export interface SpanRow {
  traceHi: number
  traceLo: number
  idHi: number
  idLo: number
  /** Both 0 for a root span. */
  parentHi: number
  parentLo: number
  /** Start in halves of nanoseconds: as one double it would be off by a quarter of a microsecond. */
  startHi: number
  startLo: number
  durationNs: number
  /** Ten-second window the span is counted in. */
  window: number
  kind: number
  failed: boolean
  /** Number of the service. */
  service: number
  /** Number of the operation's rollup series. */
  operation: number
  /** Number of the peer's name, 0 for none. */
  peer: number
  /** `connection` of the edge to the peer. */
  peerConnection: number
}

/** A call over an edge, or with `sign` -1 one taken back. */
export interface EdgeCall {
  caller: number
  callee: number
  connection: number
  /** The callee is a peer that sends no telemetry, and `callee` a name number instead of a service. */
  toPeer: boolean
  window: number
  sign: number
  failed: boolean
  durationNs: number
  gapNs: number
  paired: boolean
}

/** Receives what the join finds out; amounts are deltas and may be negative. */
export interface JoinSink {
  /** `own` is false for client and producer spans, whose own time is not the service's. */
  selfTime(service: number, operation: number, window: number, deltaNs: number, own: boolean): void
  /** The argument is reused for the next call. */
  edge(call: EdgeCall): void
}
