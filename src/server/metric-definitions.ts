/**
 * Every metric of the process itself: name, type, help, labels. The metrics reference is generated from this
 * table. Names are those that dashboards and alerts of such systems already use. Label values are ours,
 * never a client's; a tenant's name is the one exception, and it is bounded where it is counted.
 */

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** Label names with their possible values; an empty list where the values come from a bounded list of ours. */
  readonly labels: Readonly<Record<string, readonly string[]>>
}

const described = {
  otelcol_receiver_accepted_spans: ['counter', 'Spans that were made durable and acknowledged.'],
  otelcol_receiver_accepted_log_records: ['counter', 'Log records that were made durable and acknowledged.'],
  otelcol_receiver_accepted_metric_points: [
    'counter',
    'Data points that were made durable and acknowledged.',
  ],
  otelcol_receiver_refused_spans: [
    'counter',
    'Spans refused one by one, reported to the sender as partial success. Requests refused whole are not decoded and count elsewhere.',
  ],
  otelcol_receiver_refused_log_records: ['counter', 'The same for log records.'],
  otelcol_receiver_refused_metric_points: ['counter', 'The same for data points.'],
  OtelContext_otlp_payload_rejected_total: [
    'counter',
    'Requests refused for good: sending them again would not help.',
  ],
  otelcontext_ingest_pipeline_dropped_total: [
    'counter',
    'Requests not taken, with the advice to send again; clients that do not lose them. Counted in requests.',
  ],
  otelcontext_http_otlp_throttled_total: ['counter', 'OTLP/HTTP requests answered with 429.'],
  otelcontext_ingest_duplicates_total: [
    'counter',
    'Requests acknowledged and not stored again, because their sender had missed the first answer.',
  ],
  otelcontext_ingest_pipeline_queue_depth: ['gauge', 'Requests that are durable and not sealed yet.'],
  otlp_traces_received: ['counter', 'Spans received, stored or refused one by one.'],
  otlp_logs_received: ['counter', 'Log records received, stored or refused one by one.'],
  otlp_metrics_received: ['counter', 'Data points received, stored or refused one by one.'],
  otlp_traces_dropped: ['counter', 'Spans refused one by one.'],
  otlp_logs_dropped: ['counter', 'Log records refused one by one.'],
  otlp_metrics_dropped: ['counter', 'Data points refused one by one.'],
  otlp_records_produced: ['counter', 'Items sealed into segments since start.'],
  otlp_traces_queue_size: ['gauge', 'Trace requests that are durable and not sealed yet.'],
  otlp_logs_queue_size: ['gauge', 'Log requests that are durable and not sealed yet.'],
  otlp_metrics_queue_size: ['gauge', 'Metric requests that are durable and not sealed yet.'],
  otlp_queue_capacity_bytes: ['gauge', 'Bytes the inbox may hold.'],
  otlp_max_queue_utilization_percent: ['gauge', 'Highest fill of the inbox since start.'],
  otlp_total_messages_received: ['counter', 'Export requests received.'],
  otlp_total_messages_dropped: ['counter', 'Export requests refused for good.'],
  otlp_total_lag_count: ['gauge', 'Requests acknowledged and not visible to readers yet.'],
  otlp_drop_rate: ['gauge', 'Share of export requests refused for good over the last five minutes, 0 to 1.'],
  OtelContext_db_up: ['gauge', '1 while the store answers.'],
  OtelContext_dlq_disk_bytes: ['gauge', 'Bytes in the dead-letter directory.'],
  otelcontext_dlq_evicted_total: ['counter', 'Always 0: dead letters are never evicted.'],
  OtelContext_retention_consecutive_failures: [
    'gauge',
    'Retention runs that failed since the last good one.',
  ],
  OtelContext_retention_last_success_timestamp: [
    'gauge',
    'End of the last good retention run, Unix seconds.',
  ],
  otelcontext_retention_rows_behind: ['gauge', 'Items past their time that are not removed yet.'],
  otelcontext_retention_removed_items_total: [
    'counter',
    'Items removed by retention, for their age or to stay within DATA_DISK_BUDGET_MB, since the store was made.',
  ],
  otelcontext_merged_duplicates_total: [
    'counter',
    'Items left out when segments were merged, because the store held them already, since it was made.',
  ],
  otelcontext_db_pool_in_use: ['gauge', 'Connections to Postgres that do something; 0 on SQLite.'],
  otelcontext_db_pool_max_open: ['gauge', 'DB_MAX_OPEN_CONNS; 0 on SQLite.'],
  otelcontext_partitions_active: ['gauge', 'Partitions of the segment table; 0 without partitions.'],
  otelcontext_partitions_dropped_total: ['counter', 'Partitions dropped whole since the start.'],
  otelcontext_data_disk_bytes: ['gauge', 'Disk taken by store, inbox, dead letters and ballast.'],
  otelcontext_data_disk_budget_bytes: ['gauge', 'DATA_DISK_BUDGET_MB in bytes; 0 where there is no bound.'],
  otelcontext_graphrag_events_dropped_total: [
    'counter',
    'Items that are stored but did not fit into the bounds of graph and rollups.',
  ],
  otelcontext_tsdb_cardinality_overflow_by_tenant_total: [
    'counter',
    'Data points stored whose series no longer fitted into the rollups of their tenant.',
  ],
  otelcontext_dashboard_p99_row_cap_hits_total: ['counter', 'Always 0: quantiles are never capped.'],
  OtelContext_mcp_tool_invocations_total: ['counter', 'Tool calls.'],
  otelcontext_http_requests_refused_total: ['counter', 'Requests to this server that were turned away.'],
} as const

export type MetricName = keyof typeof described

const signalLabel: readonly string[] = ['traces', 'logs', 'metrics']
const received: MetricDefinition['labels'] = { receiver: ['otlp'], transport: ['grpc', 'http'] }

/** Metrics that are not here have no labels. */
const labelled: Readonly<Partial<Record<MetricName, MetricDefinition['labels']>>> = {
  otelcol_receiver_accepted_spans: received,
  otelcol_receiver_accepted_log_records: received,
  otelcol_receiver_accepted_metric_points: received,
  otelcol_receiver_refused_spans: received,
  otelcol_receiver_refused_log_records: received,
  otelcol_receiver_refused_metric_points: received,
  OtelContext_otlp_payload_rejected_total: {
    reason: [
      'too_large',
      'invalid_content_type',
      'unsupported_encoding',
      'decode_error',
      'bad_compression',
      'invalid_tenant',
      'unauthenticated',
      'forbidden',
      'not_found',
      'method_not_allowed',
      'timeout',
    ],
  },
  otelcontext_ingest_pipeline_dropped_total: {
    signal: signalLabel,
    reason: ['queue_full', 'paused', 'draining', 'store_fault', 'busy', 'throttled'],
  },
  otelcontext_http_otlp_throttled_total: {
    signal: signalLabel,
  },
  otelcontext_ingest_duplicates_total: { signal: signalLabel },
  otelcontext_ingest_pipeline_queue_depth: {
    signal: signalLabel,
  },
  otelcontext_retention_removed_items_total: { signal: signalLabel },
  otelcontext_merged_duplicates_total: { signal: signalLabel },
  otelcontext_graphrag_events_dropped_total: { signal: signalLabel },
  otelcontext_tsdb_cardinality_overflow_by_tenant_total: { tenant_id: [] },
  OtelContext_mcp_tool_invocations_total: {
    tool: [],
    status: ['ok', 'failed', 'overloaded', 'timeout', 'cancelled', 'error'],
  },
  otelcontext_http_requests_refused_total: {
    reason: ['host', 'origin', 'unauthenticated', 'forbidden', 'rate_limited'],
  },
}

/** Every metric name, in the order of the reference. */
export const metricNames: readonly MetricName[] = Object.keys(described) as readonly MetricName[] // keys of a const object

export function definitionOf(name: MetricName): MetricDefinition {
  const [type, help] = described[name]
  return { type, help, labels: labelled[name] ?? {} }
}
