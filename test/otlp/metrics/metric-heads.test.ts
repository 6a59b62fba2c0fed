/** What was learned of a metric must not hang on the memory it was learned from. */
import { expect, test } from 'vitest'
import type { ResourceEntry, ScopeEntry } from '../../../src/model/telemetry.ts'
import { makeMetricEntry } from '../../../src/otlp/metrics/metric-entry.ts'
import { MetricHeads } from '../../../src/otlp/metrics/metric-heads.ts'
import { MetricParts } from '../../../src/otlp/metrics/metric-parts.ts'
import { makeResourceEntry, makeScopeEntry } from '../../../src/otlp/resource-entry.ts'
import { viewOf } from '../../../src/otlp/wire/byte-view.ts'
import { encodeReference } from '../reference-types.ts'

const none = new Uint8Array(0)
const resource: ResourceEntry = makeResourceEntry(none, 100).entry
const scope: ScopeEntry = makeScopeEntry(none, 100).entry

test('a metric that came in a Buffer is recognised when it comes again', () => {
  const message = encodeReference('opentelemetry.proto.metrics.v1.Metric', {
    name: 'queue.length',
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ asDouble: 1 }] },
  })
  const parts = new MetricParts()
  parts.read(message, 0, message.length)
  const metric = { ...makeMetricEntry(parts.head.view(), 100), batch: 0, number: 0 }
  const heads = new MetricHeads()
  const sent = Buffer.from(message)
  heads.enter(resource, scope)
  const learned = heads.of(metric, sent, viewOf(sent), 0, sent.length)
  sent.fill(0)
  heads.enter(resource, scope)
  expect(learned).not.toBeNull()
  expect(heads.expected(message, viewOf(message), 0, message.length)).toBe(learned)
})
