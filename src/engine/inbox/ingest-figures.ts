/** What became of requests since the start, by tenant, signal and transport. */
import type { IngestRequest, IngestResult } from '../../model/ingest.ts'
import type { IngestCounter } from '../../model/reader.ts'

/** Kinds of sender counted apart; each tenant has up to six. Further ones are counted together. */
const maxCounters = 6_000
const otherTenants = 'other'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class IngestFigures {
  readonly #counters = new Map<string, Mutable<IngestCounter>>()

  count(request: IngestRequest, result: IngestResult, nowMs: number): void {
    const counter = this.#counterOf(request)
    counter.requests++
    switch (result.outcome) {
      case 'accepted':
        if (result.duplicate) counter.duplicates += result.accepted
        else counter.accepted += result.accepted
        counter.rejected += result.rejected
        counter.lastAcceptedMs = nowMs
        if (result.message !== '') counter.lastProblem = result.message
        return
      case 'invalid':
        counter.invalid++
        counter.lastProblem = result.message
        return
      case 'retry':
        counter.refusedRetry++
        counter.lastProblem = result.message
        return
      default:
        result satisfies never
    }
  }

  /** Sorted by tenant, signal and transport. */
  counters(): readonly IngestCounter[] {
    return [...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counter]) => ({ ...counter }))
  }

  #counterOf(request: IngestRequest): Mutable<IngestCounter> {
    const { signal, transport } = request
    // No name of a tenant has a control character, so no two keys are alike and tenants sort first.
    const key = `${request.tenant}\n${signal} ${transport}`
    const known = this.#counters.get(key)
    if (known !== undefined) return known
    if (this.#counters.size >= maxCounters && request.tenant !== otherTenants) {
      return this.#counterOf({ ...request, tenant: otherTenants })
    }
    const counter = {
      tenant: request.tenant,
      signal,
      transport,
      requests: 0,
      accepted: 0,
      rejected: 0,
      duplicates: 0,
      refusedRetry: 0,
      invalid: 0,
      lastAcceptedMs: 0,
      lastProblem: '',
    }
    this.#counters.set(key, counter)
    return counter
  }
}
