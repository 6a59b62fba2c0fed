/** What a load is made of: everything that decides which bytes are sent. With a seed it can be made again. */
import type { Signal } from '../../model/telemetry.ts'

export interface LoadProfile {
  readonly seed: number
  readonly services: number
  /** Operations of each service. */
  readonly operations: number
  /** Pairs of services that call each other; about three a service where nothing else is said. */
  readonly edges: number
  /** Attributes of each span; the first ten are those of an HTTP call. */
  readonly attributes: number
  readonly spansPerTrace: number
  /** Share of failed traces. */
  readonly errorShare: number
  /** Items of one request. */
  readonly batch: number
  /** `service`: a request holds one service, as an SDK sends; `collector`: whatever comes, as a collector does. */
  readonly batchBy: 'service' | 'collector'
  /** Series of each service. */
  readonly metricSeries: number
}

export const defaultProfile: LoadProfile = {
  seed: 1,
  services: 20,
  operations: 12,
  edges: 60,
  attributes: 10,
  spansPerTrace: 10,
  errorShare: 0.01,
  batch: 100,
  batchBy: 'service',
  metricSeries: 40,
}

/** One signal of a load: `items` are made once and sent over and over with fresh ids and times. */
export interface SignalPlan {
  readonly signal: Signal
  /** Items of one round. */
  readonly items: number
  /** How much time, as the items tell it, one round covers. */
  readonly spanMs: number
  /** Share of a round after which a request goes out although it is not full; 1 where time does not count. */
  readonly patience: number
}
