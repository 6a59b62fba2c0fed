/** The figures operators of OTLP connectors know, for `/admin/stats` and as metrics `otlp_*`. */
import type { Signal } from '../model/telemetry.ts'
import type { IngestCounters } from './ingest-counters.ts'
import type { MetricSource } from './own-metrics.ts'

/** What lies behind the receivers; cumulative figures count from start. */
export interface PipelineFigures {
  /** Requests that are durable and not sealed yet. */
  readonly queueSize: Readonly<Record<Signal, number>>
  readonly queueCapacityBytes: number
  /** Highest fill of the inbox that is known, 0 to 100; its maximum over all looks is kept here. */
  readonly maxUtilizationPercent: number
  /** Items sealed into segments. */
  readonly recordsProduced: number
  /** Requests acknowledged and not visible to readers yet. */
  readonly lag: number
}

export type PipelinePort = () => Promise<PipelineFigures>

export interface IngestFigures {
  readonly TracesReceived: number
  readonly MetricsReceived: number
  readonly LogsReceived: number
  readonly TracesDropped: number
  readonly MetricsDropped: number
  readonly LogsDropped: number
  readonly RecordsProduced: number
  readonly TracesQueueSize: number
  readonly MetricsQueueSize: number
  readonly LogsQueueSize: number
  readonly QueueCapacity: number
  readonly MaxQueueUtilizationPercent: number
  readonly TotalMessagesReceived: number
  readonly TotalMessagesDropped: number
  readonly TotalLagCount: number
  /** Share of requests refused for good since start, 0 to 1; 0 without traffic. */
  readonly DropRate: number
  /** The same over the last five minutes. */
  readonly DropRateLast5Minutes: number
}

export async function ingestFigures(
  counters: IngestCounters,
  pipeline: PipelinePort,
): Promise<IngestFigures> {
  const behind = await pipeline()
  const totals = counters.totals()
  const messages = counters.messages()
  return {
    TracesReceived: totals.traces.received,
    MetricsReceived: totals.metrics.received,
    LogsReceived: totals.logs.received,
    TracesDropped: totals.traces.dropped,
    MetricsDropped: totals.metrics.dropped,
    LogsDropped: totals.logs.dropped,
    RecordsProduced: behind.recordsProduced,
    TracesQueueSize: behind.queueSize.traces,
    MetricsQueueSize: behind.queueSize.metrics,
    LogsQueueSize: behind.queueSize.logs,
    QueueCapacity: behind.queueCapacityBytes,
    MaxQueueUtilizationPercent: counters.highestFill(behind.maxUtilizationPercent),
    TotalMessagesReceived: messages.received,
    TotalMessagesDropped: messages.dropped,
    TotalLagCount: behind.lag,
    DropRate: messages.received === 0 ? 0 : messages.dropped / messages.received,
    DropRateLast5Minutes: messages.recentDropRate,
  }
}

/** The same figures as metrics. */
export function ingestFigureSource(counters: IngestCounters, pipeline: PipelinePort): MetricSource {
  return async () => {
    const figures = await ingestFigures(counters, pipeline)
    return [
      { name: 'otlp_traces_received', labels: {}, value: figures.TracesReceived },
      { name: 'otlp_metrics_received', labels: {}, value: figures.MetricsReceived },
      { name: 'otlp_logs_received', labels: {}, value: figures.LogsReceived },
      { name: 'otlp_traces_dropped', labels: {}, value: figures.TracesDropped },
      { name: 'otlp_metrics_dropped', labels: {}, value: figures.MetricsDropped },
      { name: 'otlp_logs_dropped', labels: {}, value: figures.LogsDropped },
      { name: 'otlp_records_produced', labels: {}, value: figures.RecordsProduced },
      { name: 'otlp_traces_queue_size', labels: {}, value: figures.TracesQueueSize },
      { name: 'otlp_metrics_queue_size', labels: {}, value: figures.MetricsQueueSize },
      { name: 'otlp_logs_queue_size', labels: {}, value: figures.LogsQueueSize },
      { name: 'otlp_queue_capacity_bytes', labels: {}, value: figures.QueueCapacity },
      { name: 'otlp_max_queue_utilization_percent', labels: {}, value: figures.MaxQueueUtilizationPercent },
      { name: 'otlp_total_messages_received', labels: {}, value: figures.TotalMessagesReceived },
      { name: 'otlp_total_messages_dropped', labels: {}, value: figures.TotalMessagesDropped },
      { name: 'otlp_total_lag_count', labels: {}, value: figures.TotalLagCount },
      { name: 'otlp_drop_rate', labels: {}, value: figures.DropRateLast5Minutes },
      {
        name: 'otelcontext_ingest_pipeline_queue_depth',
        labels: { signal: 'traces' },
        value: figures.TracesQueueSize,
      },
      {
        name: 'otelcontext_ingest_pipeline_queue_depth',
        labels: { signal: 'logs' },
        value: figures.LogsQueueSize,
      },
      {
        name: 'otelcontext_ingest_pipeline_queue_depth',
        labels: { signal: 'metrics' },
        value: figures.MetricsQueueSize,
      },
    ]
  }
}
