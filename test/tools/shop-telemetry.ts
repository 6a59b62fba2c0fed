/** An hour of a small shop: frontend calls checkout calls payment; payment starts to fail half an hour in. */

import { createHash } from 'node:crypto'
import { attributesOf, type LogSpec, logsOf, ns, resourceOf, type SpanSpec, spansOf } from './otlp-json.ts'
import type { Request } from './telemetry-system.ts'

/** Whole hour, UTC. */
export const shopStartMs: number = Date.UTC(2026, 0, 15, 12)
export const shopFaultMs: number = shopStartMs + 30 * 60_000
export const shopEndMs: number = shopStartMs + 60 * 60_000

export const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
/** Begins like all of them and goes on like no other. */
export const traceIdOf = (number: number): string =>
  `c0ffee00${createHash('sha256').update(String(number)).digest('hex').slice(0, 24)}`

interface Bundle {
  readonly frontend: SpanSpec[]
  readonly checkout: SpanSpec[]
  readonly payment: SpanSpec[]
  readonly paymentLogs: LogSpec[]
}

function addTrace(bundle: Bundle, number: number, startMs: number, faulty: boolean): void {
  const traceId = traceIdOf(number)
  const id = (part: number): string => hex(number * 16 + part + 1, 16)
  const slow = faulty ? 400 : 0
  const failed = faulty && number % 2 === 0
  const error = failed ? { error: 'card processor unavailable' } : {}
  const wobble = (number * 7) % 11
  const add = (
    to: SpanSpec[],
    part: number,
    parent: number | null,
    span: Omit<SpanSpec, 'traceId' | 'spanId'>,
  ) =>
    to.push({ traceId, spanId: id(part), ...(parent === null ? {} : { parentSpanId: id(parent) }), ...span })
  const pay = 20 + wobble + slow
  add(bundle.frontend, 0, null, { name: 'GET /checkout', startMs, durationMs: pay + 60, ...error })
  add(bundle.frontend, 1, 0, {
    name: 'POST checkout',
    kind: 3,
    startMs: startMs + 5,
    durationMs: pay + 50,
    ...error,
    attributes: { 'server.address': 'checkout' },
  })
  add(bundle.checkout, 2, 1, { name: 'POST /orders', startMs: startMs + 8, durationMs: pay + 40, ...error })
  add(bundle.checkout, 3, 2, {
    name: 'charge',
    kind: 3,
    startMs: startMs + 12,
    durationMs: pay + 8,
    ...error,
    attributes: { 'server.address': 'payment' },
  })
  add(bundle.payment, 4, 3, {
    name: 'POST /charge',
    startMs: startMs + 15,
    durationMs: pay,
    ...error,
    attributes: {
      'payment.provider': faulty ? 'acme' : 'globex',
      ...(failed ? { 'error.type': 'ProviderError' } : {}),
    },
    ...(failed ? { exception: { type: 'ProviderError', message: 'card processor unavailable' } } : {}),
  })
  bundle.paymentLogs.push({
    timeMs: startMs + 18,
    traceId,
    spanId: id(4),
    severity: failed ? 17 : 9,
    body: failed
      ? `charge failed for order ${number}: card processor unavailable`
      : `charged order ${number}`,
  })
}

function heapPoint(minute: number, traceId: string, spanId: string): object {
  return {
    resource: resourceOf('payment', { 'service.instance.id': 'payment-0' }),
    scopeMetrics: [
      {
        metrics: [
          {
            name: 'process.memory.usage',
            unit: 'By',
            gauge: { dataPoints: [{ timeUnixNano: ns(minute), asDouble: 5e7 + (minute % 7) * 1e5 }] },
          },
          {
            name: 'http.server.request.duration',
            unit: 's',
            histogram: {
              aggregationTemporality: 1,
              dataPoints: [
                {
                  startTimeUnixNano: ns(minute - 60_000),
                  timeUnixNano: ns(minute),
                  count: '6',
                  sum: 0.15,
                  bucketCounts: ['4', '2', '0'],
                  explicitBounds: [0.025, 0.1],
                  attributes: attributesOf({ 'http.route': '/charge' }),
                  exemplars: [{ timeUnixNano: ns(minute), asDouble: 0.021, traceId, spanId }],
                },
              ],
            },
          },
        ],
      },
    ],
  }
}

export interface ShopOptions {
  /** False leaves the fault out. */
  readonly faulty?: boolean
  /** Start of the hour, if not the usual one. */
  readonly startMs?: number
  /** Number of the first trace. */
  readonly from?: number
}

/** One request a signal and minute; six traces a minute. */
export function shopRequests(options: ShopOptions = {}): Request[] {
  const requests: Request[] = []
  let number = options.from ?? 0
  const startMs = options.startMs ?? shopStartMs
  for (let minute = 0; minute < 60; minute++) {
    const minuteMs = startMs + minute * 60_000
    const bundle: Bundle = { frontend: [], checkout: [], payment: [], paymentLogs: [] }
    const faulty = options.faulty !== false && minuteMs >= startMs + 30 * 60_000
    const first = number
    for (let second = 0; second < 60; second += 10)
      addTrace(bundle, number++, minuteMs + second * 1_000, faulty)
    const version = faulty ? '2.0.0' : '1.9.0'
    const receivedMs = minuteMs + 61_000
    requests.push(
      {
        signal: 'traces',
        receivedMs,
        json: {
          resourceSpans: [
            spansOf('frontend', bundle.frontend),
            spansOf('checkout', bundle.checkout),
            spansOf('payment', bundle.payment, {
              'service.version': version,
              'service.instance.id': 'payment-0',
              'deployment.environment.name': 'production',
            }),
          ],
        },
      },
      { signal: 'logs', receivedMs, json: { resourceLogs: [logsOf('payment', bundle.paymentLogs)] } },
      {
        signal: 'metrics',
        receivedMs,
        json: { resourceMetrics: [heapPoint(minuteMs + 50_000, traceIdOf(first), hex(first * 16 + 5, 16))] },
      },
    )
  }
  return requests
}
