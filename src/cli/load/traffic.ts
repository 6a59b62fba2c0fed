/** A signal's requests of one round, made from a seed; sent over and over they are a load of any length. */
import type { Signal } from '../../model/telemetry.ts'
import { callPlan } from './call-plan.ts'
import type { LoadProfile, SignalPlan } from './load-profile.ts'
import { logRequests } from './log-requests.ts'
import { metricRequests } from './metric-requests.ts'
import { Marks } from './request-marks.ts'
import {
  type LoadEncoding,
  type RequestTemplate,
  type Round,
  requestTemplate,
  type TemplateSource,
} from './request-template.ts'
import { seededRandom } from './seeded-random.ts'
import { type TrafficParts, traceRequests } from './trace-requests.ts'

export interface Traffic {
  readonly plan: SignalPlan
  readonly templates: readonly RequestTemplate[]
  /** Of all templates together. */
  readonly items: number
}

const makers: Readonly<Record<Signal, (parts: TrafficParts, plan: SignalPlan) => readonly TemplateSource[]>> =
  { traces: traceRequests, logs: logRequests, metrics: metricRequests }

const signalSeeds: Readonly<Record<Signal, number>> = { traces: 0x7ace, logs: 0x1095, metrics: 0x3e7a }

export function createTraffic(profile: LoadProfile, plan: SignalPlan, encoding: LoadEncoding): Traffic {
  const random = seededRandom(profile.seed ^ signalSeeds[plan.signal])
  const marks = new Marks(seededRandom(profile.seed ^ signalSeeds[plan.signal] ^ 0x1d5))
  const sources = makers[plan.signal]({ profile, calls: callPlan(profile), marks, random }, plan)
  const templates = sources.map(source => requestTemplate(source, marks, encoding))
  return { plan, templates, items: templates.reduce((sum, template) => sum + template.items, 0) }
}

/** The round's ids follow from seed, signal and number; its times from where it is said to start. */
export function roundOf(profile: LoadProfile, signal: Signal, number: number, startNs: bigint): Round {
  const random = seededRandom(profile.seed ^ signalSeeds[signal] ^ Math.imul(number + 1, 0x9e3779b1))
  return { maskLow: random.bits(), maskHigh: random.bits(), startNs, number }
}
