/** What no longer fitted into the bounds of graph and rollups; the items themselves are stored whole. */
import type { Signal } from './telemetry.ts'

export interface Offender {
  /** Whose names they were: a service, a service and metric, or the names themselves with their digits as `*`. */
  readonly name: string
  /** At most so many of the folded ones; exact while there are few offenders. */
  readonly count: number
}

export interface Overflow {
  readonly tenant: string
  readonly signal: Signal
  /** `services`, `operations`, `edges`, `instances`, `names`, `metricSeries` or `templates`. */
  readonly limit: string
  /** How often something was counted under `_overflow` since the start. */
  readonly count: number
  /** The worst first. */
  readonly offenders: readonly Offender[]
}
