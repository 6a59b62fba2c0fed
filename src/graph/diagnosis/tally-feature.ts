/** Findings from the logs of requests that a sampler hides: errors that began to be written. */
import type { Evidence } from './evidence.ts'
import { errorReachOf, type Finding, makeFeature, sureness, traceHandle } from './finding.ts'
import type { ErrorCount, LogTally } from './log-tally.ts'
import { riseEvidence } from './two-sample.ts'

/** Rise of the share of a service's records that is half of everything, as for new error lines of seen requests. */
const halfRise = 0.1

/** The strongest error per service; none unless a sampler hides requests. */
export function tallyFeatures(evidence: Evidence): readonly Finding[] {
  const { tally: now } = evidence.window
  const { tally: before } = evidence.baseline
  if (now === null || before === null) return []
  const earlier = new Map(before.errors().map(error => [keyOf(error), error.traceIds.length]))
  const rows = new Map(evidence.window.set.traceIds.map((id, trace) => [id, trace]))
  const origins = originsByTrace(evidence)
  const best = new Map<number, Finding>()
  for (const error of now.errors()) {
    const found = findingOf(evidence, error, {
      now,
      before,
      earlier: earlier.get(keyOf(error)) ?? 0,
      rows,
      origins,
    })
    const known = best.get(error.service)
    if (known === undefined || found.feature.value > known.feature.value) best.set(error.service, found)
  }
  return [...best.values()]
}

const keyOf = ({ service, template }: ErrorCount): string => `${service} ${template}`

interface Sides {
  readonly now: LogTally
  readonly before: LogTally
  /** Requests of the baseline with the same error. */
  readonly earlier: number
  /** Rows of the traces that were kept, by id. */
  readonly rows: ReadonlyMap<string, number>
  /** Services at which errors began, by row of the trace. */
  readonly origins: ReadonlyMap<number, ReadonlySet<number>>
}

function originsByTrace({ origins }: Evidence): ReadonlyMap<number, ReadonlySet<number>> {
  const found = new Map<number, Set<number>>()
  for (const { trace, service } of origins) {
    const services = found.get(trace) ?? new Set<number>()
    found.set(trace, services.add(service))
  }
  return found
}

/**
 * The part of an error's requests in which it is no more than an echo, judged by those whose spans were kept: there
 * something else failed that the service had called. One more of which that is not known is taken for granted.
 */
function echoPart(service: number, kept: readonly number[], origins: Sides['origins']): number {
  const echoes = kept.filter(trace => {
    const began = origins.get(trace)
    return began !== undefined && !began.has(service)
  })
  return echoes.length / (kept.length + 1)
}

function findingOf(evidence: Evidence, error: ErrorCount, sides: Sides): Finding {
  const { now, before, earlier, rows, origins } = sides
  const hit = error.traceIds.length
  const kept = error.traceIds.map(id => rows.get(id)).filter(row => row !== undefined)
  const records = now.records(error.service)
  const baseRecords = before.records(error.service)
  const nats = riseEvidence(hit, records, earlier, Math.max(1, baseRecords))
  const rise = Math.max(0, hit / records - (baseRecords === 0 ? 0 : earlier / baseRecords))
  // A sampled trace stands for as many requests as its weight says.
  const requests = evidence.window.set.weight.reduce((sum, one) => sum + one, 0)
  const reach = errorReachOf(Math.min(hit, requests), requests)
  const echo = echoPart(error.service, kept, origins)
  const measured = {
    requests_with_it_first: hit,
    records,
    baseline_requests_with_it_first: earlier,
    baseline_records: baseRecords,
    requests,
    ...(echo > 0 ? { part_begun_elsewhere: echo } : {}),
    evidence_nats: nats,
  }
  const value = sureness(nats) * (rise / (rise + halfRise)) * reach * (1 - echo)
  const service = evidence.names.text(error.service)
  const template = evidence.templates.get(error.template)
  return {
    service,
    peer: false,
    feature: makeFeature('error_logs', value, measured, [
      ...traceHandle(evidence, kept),
      ...(template === undefined
        ? []
        : [{ kind: 'template' as const, service, templateId: template.id, pattern: template.pattern }]),
    ]),
    place: {},
    traces: new Set(kept),
    onsetMs: error.firstMs,
  }
}
