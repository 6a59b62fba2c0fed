/** OTLP/JSON export requests for tests, in few words. */

export interface SpanSpec {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** SpanKind; default 2, server. */
  readonly kind?: number
  readonly startMs: number
  readonly durationMs: number
  readonly error?: string
  readonly attributes?: Readonly<Record<string, string | number>>
  readonly exception?: { readonly type: string; readonly message: string }
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
}

export interface LogSpec {
  readonly timeMs: number
  readonly body: string
  readonly severity?: number
  readonly traceId?: string
  readonly spanId?: string
  readonly attributes?: Readonly<Record<string, string | number>>
}

export const ns = (ms: number): string => `${BigInt(Math.round(ms * 1_000)) * 1_000n}`

export function attributesOf(values: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { doubleValue: value } : { stringValue: value },
  }))
}

export function resourceOf(service: string, more: Readonly<Record<string, string>> = {}): object {
  return { attributes: attributesOf({ 'service.name': service, ...more }) }
}

export function spansOf(
  service: string,
  spans: readonly SpanSpec[],
  resource: Readonly<Record<string, string>> = {},
): object {
  return {
    resource: resourceOf(service, resource),
    scopeSpans: [
      {
        spans: spans.map(span => ({
          traceId: span.traceId,
          spanId: span.spanId,
          ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
          name: span.name,
          kind: span.kind ?? 2,
          startTimeUnixNano: ns(span.startMs),
          endTimeUnixNano: ns(span.startMs + span.durationMs),
          attributes: attributesOf(span.attributes ?? {}),
          ...(span.error === undefined ? {} : { status: { code: 2, message: span.error } }),
          ...(span.exception === undefined
            ? {}
            : {
                events: [
                  {
                    name: 'exception',
                    timeUnixNano: ns(span.startMs),
                    attributes: attributesOf({
                      'exception.type': span.exception.type,
                      'exception.message': span.exception.message,
                    }),
                  },
                ],
              }),
          ...(span.links === undefined ? {} : { links: span.links }),
        })),
      },
    ],
  }
}

export function logsOf(
  service: string,
  logs: readonly LogSpec[],
  resource: Readonly<Record<string, string>> = {},
): object {
  return {
    resource: resourceOf(service, resource),
    scopeLogs: [
      {
        logRecords: logs.map(log => ({
          timeUnixNano: ns(log.timeMs),
          severityNumber: log.severity ?? 9,
          body: { stringValue: log.body },
          attributes: attributesOf(log.attributes ?? {}),
          ...(log.traceId === undefined ? {} : { traceId: log.traceId }),
          ...(log.spanId === undefined ? {} : { spanId: log.spanId }),
        })),
      },
    ],
  }
}
