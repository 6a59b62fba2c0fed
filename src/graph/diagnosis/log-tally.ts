/**
 * The logs of all requests, also of those whose spans a sampler at the source has dropped: how often each line was written,
 * and errors. Of each request only the first error counts, by its trace id: whoever called the one that failed writes an
 * error too, a little later.
 */
import type { LogBlock } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import { errorSeverity } from './log-lines.ts'
import type { Names } from './names.ts'

/** Errors of one service that follow one template. */
export interface ErrorCount {
  /** Index into `Names`. */
  readonly service: number
  readonly template: number
  /** Ids of the traces whose first error it is, lower-case hex. */
  readonly traceIds: readonly string[]
  /** When the first of them was written, milliseconds. */
  readonly firstMs: number
}

interface FirstError {
  readonly service: number
  readonly template: number
  readonly atMs: number
}

/** Adds up blocks of one window in any order. Bounded by the records that a question reads. */
export class LogTally {
  readonly #names: Names
  readonly #range: TimeRange
  readonly #records = new Map<number, number>()
  readonly #first = new Map<string, FirstError>()
  /** By service, then by template. */
  readonly #times = new Map<number, Map<number, number[]>>()
  #whole = true

  constructor(names: Names, range: TimeRange) {
    this.#names = names
    this.#range = range
  }

  add(block: LogBlock): void {
    const ids = Buffer.from(block.traceId.buffer, block.traceId.byteOffset, block.traceId.byteLength)
    for (let i = 0; i < block.count; i++) {
      const atMs = toMs(block.timeHi[i] ?? 0, block.timeLo[i] ?? 0)
      if (atMs < this.#range.fromMs || atMs >= this.#range.toMs) continue
      const service = this.#names.id(block.resources[block.resource[i] ?? 0]?.service ?? '')
      this.#records.set(service, (this.#records.get(service) ?? 0) + 1)
      this.#addTime(service, block.template[i] ?? 0, atMs)
      if ((block.severity[i] ?? 0) < errorSeverity) continue
      const id = ids.toString('latin1', i * 16, i * 16 + 16)
      if (id === noTrace) continue
      const known = this.#first.get(id)
      const error = { service, template: block.template[i] ?? 0, atMs }
      if (known === undefined || isBefore(error, known)) this.#first.set(id, error)
    }
  }

  #addTime(service: number, template: number, atMs: number): void {
    const own = this.#times.get(service) ?? new Map<number, number[]>()
    this.#times.set(service, own)
    const times = own.get(template)
    if (times === undefined) own.set(template, [atMs])
    else times.push(atMs)
  }

  /** Some logs of the window were not looked at, or twice: from now on this is no count of lines. */
  cutShort(): void {
    this.#whole = false
  }

  /** Whether all logs of the window were added, each once. */
  get whole(): boolean {
    return this.#whole
  }

  /** When a service wrote lines of this template, milliseconds. */
  times(service: number, template: number): readonly number[] {
    return this.#times.get(service)?.get(template) ?? []
  }

  /** Log records of a service. */
  records(service: number): number {
    return this.#records.get(service) ?? 0
  }

  /** Requests whose first error was this one, by service and template, ordered by them. */
  errors(): readonly ErrorCount[] {
    const counts = new Map<string, ErrorCount & { readonly traceIds: string[] }>()
    for (const [id, { service, template, atMs }] of this.#first) {
      const key = `${service} ${template}`
      const known = counts.get(key)
      const traceIds = known?.traceIds ?? []
      traceIds.push(Buffer.from(id, 'latin1').toString('hex'))
      counts.set(key, { service, template, traceIds, firstMs: Math.min(known?.firstMs ?? atMs, atMs) })
    }
    return [...counts.values()].sort((a, b) => a.service - b.service || a.template - b.template)
  }
}

const noTrace = '\0'.repeat(16)

function isBefore(one: FirstError, other: FirstError): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.template < other.template)
}
