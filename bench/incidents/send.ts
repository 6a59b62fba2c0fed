/** Sends a case over OTLP/HTTP as it is, and its call graph as service-graph metrics. */
import { type CallEdge, graphOf, type IncidentCase, requestsIn, type Window } from './cases.ts'

const signals = ['traces', 'logs', 'metrics'] as const
/** A refused request is sent again this often; the server says when. */
const maxAttempts = 20

export interface ExportRequest {
  readonly signal: (typeof signals)[number]
  /** OTLP/JSON. */
  readonly body: string
}

/** Everything of the case in the order in which it is sent: its folder, its baseline's folder, its call graph. */
export function* exportRequests(incident: IncidentCase): Generator<ExportRequest> {
  const folders = [incident.folder, incident.baselineFolder].filter(folder => folder !== '')
  for (const folder of folders) {
    for (const signal of signals) {
      for (const body of requestsIn(folder, signal)) yield { signal, body }
    }
  }
  const edges = graphOf(incident)
  if (edges.length === 0) return
  yield { signal: 'metrics', body: JSON.stringify(graphRequest(edges, [incident.window, incident.baseline])) }
}

/** Sends one after the other; rejects when a request is refused for good. */
export async function sendAll(requests: readonly ExportRequest[], otlpUrl: string): Promise<void> {
  for (const { signal, body } of requests) await post(otlpUrl, signal, body)
}

async function post(otlpUrl: string, signal: ExportRequest['signal'], body: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${otlpUrl}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const text = await response.text()
    if (response.ok) return
    const again = (response.status === 429 || response.status === 503) && attempt < maxAttempts
    if (!again) throw new Error(`${signal} refused with ${response.status}: ${text.slice(0, 300)}`)
    const seconds = Number(response.headers.get('retry-after') ?? 1)
    await new Promise(resolve => setTimeout(resolve, seconds * 1000))
  }
}

/**
 * One cumulative point per edge at start, middle and end of each window, as the Collector's service graph
 * connector makes them; the counts only say that the edge was used.
 */
function graphRequest(edges: readonly CallEdge[], windows: readonly Window[]): object {
  const times = windows
    .flatMap(({ fromMs, toMs }) => [fromMs, Math.floor((fromMs + toMs) / 2), toMs - 1])
    .sort((a, b) => a - b)
  const startTimeUnixNano = nanoseconds((times[0] ?? 0) - 1)
  const dataPoints = edges.flatMap(({ caller, callee }) =>
    times.map((timeMs, i) => ({
      startTimeUnixNano,
      timeUnixNano: nanoseconds(timeMs),
      asInt: String(i + 1),
      attributes: [attribute('client', caller), attribute('server', callee)],
    })),
  )
  const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints }
  const metrics = [{ name: 'traces_service_graph_request_total', sum }]
  return { resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] }
}

function nanoseconds(ms: number): string {
  return (BigInt(ms) * 1_000_000n).toString()
}

function attribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } }
}
