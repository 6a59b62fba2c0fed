/**
 * The same incident, seen a little differently: a right answer does not hang on every request having been kept,
 * on where a window was cut, or on one kind of signal.
 */
import type { IncidentCase, Window } from './cases.ts'
import {
  type LogRecordJson,
  logRecordsOf,
  metricsOf,
  pointsOf,
  type RequestJson,
  type SpanJson,
  spansOf,
} from './otlp-json.ts'
import type { ExportRequest } from './send.ts'

export interface Perturbation {
  readonly name: string
  /** What is asked instead. */
  readonly ask?: (incident: IncidentCase) => IncidentCase
  /** Whether requests of this signal are sent at all. */
  readonly keeps?: (signal: ExportRequest['signal']) => boolean
  /** Changes a request in place. */
  readonly change?: (request: RequestJson) => void
}

function moved({ fromMs, toMs }: Window, from: number, to: number): Window {
  return { fromMs: fromMs + from * 1000, toMs: toMs + to * 1000 }
}

const lengthOf = ({ fromMs, toMs }: Window): number => toMs - fromMs

/** FNV-1a of a text, 0 to 1: the same choice in every run. */
export function chanceOf(text: string): number {
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  hash = Math.imul(hash ^ (hash >>> 16), 2246822507)
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909)
  return ((hash ^ (hash >>> 16)) >>> 0) / 4294967296
}

/** Keeps a share of the traces, with their logs, and of the points of every metric series. */
function thinned(seed: string, share: number): (request: RequestJson) => void {
  const kept = (id: string | undefined) => id === undefined || chanceOf(seed + id) < share
  return request => {
    for (const { scopeSpans } of request.resourceSpans ?? []) {
      for (const scope of scopeSpans) scope.spans = scope.spans.filter(span => kept(span.traceId))
    }
    for (const { scopeLogs } of request.resourceLogs ?? []) {
      for (const scope of scopeLogs) scope.logRecords = scope.logRecords.filter(log => kept(log.traceId))
    }
  }
}

/** Every other point of every metric, as a collector with twice the interval would send. */
function coarser(request: RequestJson): void {
  for (const metric of metricsOf(request)) {
    const points = pointsOf(metric)
    const half = points.filter((_, i) => i % 2 === 0)
    points.splice(0, points.length, ...half)
  }
}

/** Clocks of services apart by up to so many milliseconds, the same for all telemetry of a service. */
function skewed(mostMs: number): (request: RequestJson) => void {
  return request => {
    for (const resource of request.resourceSpans ?? []) {
      const service = JSON.stringify(resource.resource?.attributes ?? [])
      const by = BigInt(Math.round((chanceOf(service) * 2 - 1) * mostMs * 1e6))
      for (const { spans } of resource.scopeSpans) for (const span of spans) shiftSpan(span, by)
    }
  }
}

function shiftSpan(span: SpanJson, by: bigint): void {
  span.startTimeUnixNano = String(BigInt(span.startTimeUnixNano) + by)
  span.endTimeUnixNano = String(BigInt(span.endTimeUnixNano) + by)
}

/** Moves everything in time, nanoseconds. */
export function shiftTimes(request: RequestJson, by: bigint): void {
  const later = (time: string): string => String(BigInt(time) + by)
  for (const span of spansOf(request)) {
    shiftSpan(span, by)
    for (const event of span.events ?? []) event.timeUnixNano = later(event.timeUnixNano)
  }
  for (const log of logRecordsOf(request)) shiftLog(log, later)
  for (const metric of metricsOf(request)) {
    for (const point of pointsOf(metric)) {
      if (point.timeUnixNano !== undefined) point.timeUnixNano = later(point.timeUnixNano)
      if (point.startTimeUnixNano !== undefined) point.startTimeUnixNano = later(point.startTimeUnixNano)
    }
  }
}

function shiftLog(log: LogRecordJson, later: (time: string) => string): void {
  if (log.timeUnixNano !== undefined) log.timeUnixNano = later(log.timeUnixNano)
  if (log.observedTimeUnixNano !== undefined) log.observedTimeUnixNano = later(log.observedTimeUnixNano)
}

/** Spans lost on the way, whatever trace they belong to. */
function lossy(seed: string, share: number): (request: RequestJson) => void {
  return request => {
    for (const { scopeSpans } of request.resourceSpans ?? []) {
      for (const scope of scopeSpans) {
        scope.spans = scope.spans.filter(span => chanceOf(seed + span.spanId) >= share)
      }
    }
  }
}

/** Every duration longer or shorter by up to a share, children of a span with it. */
function jittered(share: number): (request: RequestJson) => void {
  return request => {
    for (const span of spansOf(request)) {
      const start = BigInt(span.startTimeUnixNano)
      const length = Number(BigInt(span.endTimeUnixNano) - start)
      const factor = 1 + (chanceOf(span.spanId) * 2 - 1) * share
      span.endTimeUnixNano = String(start + BigInt(Math.round(Math.max(0, length * factor))))
    }
  }
}

export const perturbations: readonly Perturbation[] = [
  { name: 'plain' },
  { name: 'half-a', change: thinned('a', 0.5) },
  { name: 'half-b', change: thinned('b', 0.5) },
  { name: 'quarter', change: thinned('c', 0.25) },
  {
    name: 'later-baseline-half',
    ask: one => ({ ...one, baseline: moved(one.baseline, lengthOf(one.baseline) / 2000, 0) }),
  },
  {
    name: 'earlier-baseline-half',
    ask: one => ({ ...one, baseline: moved(one.baseline, 0, -lengthOf(one.baseline) / 2000) }),
  },
  { name: 'window-early', ask: one => ({ ...one, window: moved(one.window, -20, -20) }) },
  { name: 'window-late', ask: one => ({ ...one, window: moved(one.window, 20, 20) }) },
  {
    name: 'window-first-half',
    ask: one => ({ ...one, window: moved(one.window, 0, -lengthOf(one.window) / 2000) }),
  },
  {
    name: 'window-second-half',
    ask: one => ({ ...one, window: moved(one.window, lengthOf(one.window) / 2000, 0) }),
  },
  { name: 'no-logs', keeps: signal => signal !== 'logs' },
  { name: 'no-metrics', keeps: signal => signal !== 'metrics' },
  { name: 'coarse-metrics', change: coarser },
  { name: 'spans-lost', change: lossy('d', 0.02) },
  { name: 'skew', change: skewed(3) },
  { name: 'jitter', change: jittered(0.2) },
]
