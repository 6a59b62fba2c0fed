/** How much a company's telemetry tells: sampled or not, with or without status codes, logs, every service. */
import type { Signal } from './otlp-receiver.ts'

export interface TelemetryStyle {
  readonly name: string
  /** Rejection threshold of the sampler, empty for all traces. */
  readonly samplingThreshold: string
  /** False: spans have no status and no status code, as from instrumentation that never heard of them. */
  readonly status: boolean
  readonly logs: boolean
  /** Services without an SDK. */
  readonly silent: readonly string[]
}

const complete: TelemetryStyle = {
  name: 'complete',
  samplingThreshold: '',
  status: true,
  logs: true,
  silent: [],
}

export const styles: readonly [TelemetryStyle, ...TelemetryStyle[]] = [
  complete,
  { ...complete, name: 'no-status', status: false },
  { ...complete, name: 'sampled-half', samplingThreshold: '8' },
  { ...complete, name: 'payment-silent', silent: ['payment'] },
  { ...complete, name: 'no-logs', logs: false },
  { ...complete, name: 'sampled-quarter', samplingThreshold: 'c' },
  { ...complete, name: 'shipping-silent', silent: ['shipping'] },
  { ...complete, name: 'no-status-sampled-half', status: false, samplingThreshold: '8' },
  { ...complete, name: 'no-status-no-logs', status: false, logs: false },
]

/** The request as a sender of this style would have sent it; empty if it would not. */
export function inStyle(style: TelemetryStyle, signal: Signal, line: string): string {
  if (signal === 'logs' && !style.logs) return ''
  if (style.status || signal === 'logs') return line
  return JSON.stringify(withoutStatus(JSON.parse(line)))
}

const tellingKeys = new Set([
  'http.response.status_code',
  'http.status_code',
  'http.status_text',
  'error.type',
  'rpc.grpc.status_code',
])

/** Takes statuses, status codes and recorded exceptions out of any OTLP message. */
function withoutStatus(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(each => !isTelling(each)).map(withoutStatus)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'status')
      .map(([name, inner]) => [name, withoutStatus(inner)]),
  )
}

function isTelling(element: unknown): boolean {
  if (typeof element !== 'object' || element === null) return false
  const key = 'key' in element ? element.key : undefined
  const name = 'name' in element ? element.name : undefined
  return tellingKeys.has(String(key)) || name === 'exception'
}
