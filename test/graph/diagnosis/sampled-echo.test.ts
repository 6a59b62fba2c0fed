import { describe, expect, it } from 'vitest'
import { ask, firm, history, readerOf } from './asking.ts'
import type { Requests } from './synthetic-system.ts'

interface SpanJson {
  readonly traceId: string
  readonly spanId: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly status?: { readonly code: number }
}
interface TracesJson {
  readonly resourceSpans: readonly {
    readonly resource: object
    readonly scopeSpans: readonly { readonly spans: readonly SpanJson[] }[]
  }[]
}

/** A request of logs: whoever fails to query the database says so. */
function complaints({ traces }: Requests): readonly object[] {
  const found = (traces as readonly TracesJson[]).flatMap(request => request.resourceSpans)
  return found.map(({ resource, scopeSpans }) => {
    const failed = scopeSpans
      .flatMap(scope => scope.spans)
      .filter(span => span.name === 'query stock' && span.status?.code === 2)
    const logRecords = failed.map(({ traceId, spanId, startTimeUnixNano }) => ({
      traceId,
      spanId,
      timeUnixNano: startTimeUnixNano,
      severityNumber: 17,
      body: { stringValue: 'cannot read the stock' },
    }))
    return { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }
  })
}

/** Spans of one trace in four, as a sampler with that probability leaves them. */
function sampled({ traces }: Requests): readonly object[] {
  return (traces as readonly TracesJson[]).map(({ resourceSpans }) => ({
    resourceSpans: resourceSpans.map(({ resource, scopeSpans }) => ({
      resource,
      scopeSpans: scopeSpans.map(({ spans }) => ({
        spans: spans
          .filter(span => Number.parseInt(span.traceId.slice(-1), 16) % 4 === 0)
          .map(span => ({ ...span, traceState: 'ot=th:c' })),
      })),
    })),
  }))
}

describe('errors in the logs of requests that a sampler hides', () => {
  it('are an echo where the requests that were kept show that a callee had failed', async () => {
    const requests = history({ kind: 'peer_down', peer: 'stockdb' })
    const logs = [...requests.logs, ...complaints(requests)]
    const diagnosis = await ask(readerOf({ ...requests, traces: sampled(requests), logs }))
    expect(diagnosis.coverage.notes).toContain('sampled_at_source')
    expect(diagnosis.causes[0]?.location.service).toBe('stockdb')
    expect(firm(diagnosis)).toBe(true)
    const others = diagnosis.causes.slice(1).flatMap(cause => cause.features)
    const echoes = others.filter(feature => feature.name === 'error_logs')
    expect(echoes.filter(feature => feature.value > 0.15)).toEqual([])
  })
})
