import { describe, expect, it } from 'vitest'
import { definitionOf, metricNames } from '../../src/server/metric-definitions.ts'
import { OwnMetrics } from '../../src/server/own-metrics.ts'

describe('metric definitions', () => {
  it('have a name Prometheus takes and a help text that is a sentence', () => {
    expect(metricNames.length).toBeGreaterThan(30)
    for (const name of metricNames) {
      expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/)
      expect(definitionOf(name).help).toMatch(/^[A-Z0-9].*\.$/)
    }
  })
})

describe('own metrics', () => {
  it('show a declared counter as 0 for every label value known beforehand', async () => {
    const metrics = new OwnMetrics()
    metrics.declare('otelcontext_http_otlp_throttled_total')
    const text = await metrics.text()
    for (const signal of ['traces', 'logs', 'metrics']) {
      expect(text).toContain(`otelcontext_http_otlp_throttled_total{signal="${signal}"} 0`)
    }
  })

  it('show nothing of a metric nobody has a figure for', async () => {
    expect(await new OwnMetrics().text()).not.toContain('OtelContext_db_up')
  })

  it('ask their sources at every scrape and show totals as totals', async () => {
    const metrics = new OwnMetrics()
    let sealed = 5
    metrics.addSource(() => [
      { name: 'otlp_records_produced', labels: {}, value: sealed },
      { name: 'OtelContext_db_up', labels: {}, value: 1 },
    ])
    expect(await metrics.text()).toContain('otlp_records_produced 5')
    sealed = 7
    const text = await metrics.text()
    expect(text).toContain('otlp_records_produced 7')
    expect(text).toContain('OtelContext_db_up 1')
    expect(text).toContain('# TYPE otlp_records_produced counter')
  })

  it('count a figure once that two sources know', async () => {
    const metrics = new OwnMetrics()
    for (const value of [3, 4]) {
      metrics.addSource(() => [
        { name: 'otelcontext_ingest_pipeline_queue_depth', labels: { signal: 'logs' }, value },
      ])
    }
    expect(await metrics.text()).toContain('otelcontext_ingest_pipeline_queue_depth{signal="logs"} 4\n')
  })

  it('keep the number of series bounded', async () => {
    const metrics = new OwnMetrics()
    for (let i = 0; i < 2_000; i++) {
      metrics.add('otelcontext_tsdb_cardinality_overflow_by_tenant_total', { tenant_id: `tenant ${i}` })
    }
    const lines = (await metrics.text()).split('\n').filter(line => line.includes('tenant_id='))
    expect(lines).toHaveLength(1_000)
  })
})
