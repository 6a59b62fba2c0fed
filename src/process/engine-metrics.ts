/** The engine's figures under the names that dashboards and alerts know. */
import type { Engine } from '../engine/engine.ts'
import type { InvariantRow } from '../engine/sealing/invariant.ts'
import type { Overflow } from '../model/overflow.ts'
import { type Signal, signals } from '../model/telemetry.ts'
import type { PipelineFigures } from '../server/ingest-figures.ts'
import type { Sample } from '../server/own-metrics.ts'

export async function pipelineFigures(engine: Engine): Promise<PipelineFigures> {
  const { engine: worker, inbox } = await engine.figures()
  const waiting = (signal: Signal): number =>
    (inbox?.counters ?? [])
      .filter(counter => counter.signal === signal)
      .reduce((sum, counter) => sum + counter.rows, 0)
  const sealed = (worker?.invariant ?? []).reduce((sum, row) => sum + row.sealed, 0)
  return {
    queueSize: { traces: waiting('traces'), logs: waiting('logs'), metrics: waiting('metrics') },
    queueCapacityBytes: inbox?.maxBytes ?? 0,
    maxUtilizationPercent: inbox === null || inbox.maxBytes === 0 ? 0 : (inbox.bytes / inbox.maxBytes) * 100,
    recordsProduced: sealed,
    lag: inbox === null || worker === null ? 0 : Math.max(0, inbox.lastPosition - worker.publishedPosition),
  }
}

export async function engineSamples(engine: Engine): Promise<readonly Sample[]> {
  const { engine: worker } = await engine.figures()
  const plain = (name: Sample['name'], value: number): Sample => ({ name, labels: {}, value })
  return [
    plain('OtelContext_db_up', worker !== null && worker.storeFault === null ? 1 : 0),
    plain('OtelContext_dlq_disk_bytes', worker?.deadLetters.bytes ?? 0),
    plain('otelcontext_dlq_evicted_total', 0),
    plain('OtelContext_retention_consecutive_failures', worker?.maintenance.consecutiveFailures ?? 0),
    plain('OtelContext_retention_last_success_timestamp', (worker?.maintenance.lastSuccessMs ?? 0) / 1_000),
    plain('otelcontext_retention_rows_behind', worker?.maintenance.rowsBehind ?? 0),
    plain('otelcontext_db_pool_in_use', worker?.stored?.connections?.inUse ?? 0),
    plain('otelcontext_db_pool_max_open', worker?.stored?.connections?.max ?? 0),
    plain('otelcontext_partitions_active', worker?.stored?.partitions?.active ?? 0),
    plain('otelcontext_partitions_dropped_total', worker?.stored?.partitions?.dropped ?? 0),
    plain('otelcontext_data_disk_bytes', worker?.maintenance.diskBytes ?? 0),
    plain('otelcontext_data_disk_budget_bytes', worker?.maintenance.diskBudgetBytes ?? 0),
    ...overflowSamples(worker?.overflows ?? []),
    ...signals.flatMap(signal => storedSamples(signal, worker?.invariant ?? [])),
  ]
}

function overflowSamples(overflows: readonly Overflow[]): readonly Sample[] {
  const dropped = signals.map((signal): Sample => {
    const own = overflows.filter(overflow => overflow.signal === signal)
    const value = own.reduce((sum, overflow) => sum + overflow.count, 0)
    return { name: 'otelcontext_graphrag_events_dropped_total', labels: { signal }, value }
  })
  const series = overflows.filter(overflow => overflow.limit === 'metricSeries')
  return [
    ...dropped,
    ...series.map(
      ({ tenant, count }): Sample => ({
        name: 'otelcontext_tsdb_cardinality_overflow_by_tenant_total',
        labels: { tenant_id: tenant },
        value: count,
      }),
    ),
  ]
}

/** Of all tenants together. */
function storedSamples(signal: Signal, rows: readonly InvariantRow[]): readonly Sample[] {
  const own = rows.filter(row => row.signal === signal)
  const sample = (name: Sample['name'], pick: (row: InvariantRow) => number): Sample => ({
    name,
    labels: { signal },
    value: own.reduce((sum, row) => sum + pick(row), 0),
  })
  return [
    sample('otelcontext_retention_removed_items_total', row => row.removed),
    sample('otelcontext_merged_duplicates_total', row => row.merged),
  ]
}
