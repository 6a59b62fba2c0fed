/** Requests of log records: a few dozen patterns whose variables differ, about 150 bytes a line. */
import type { SignalPlan } from './load-profile.ts'
import { groupByService, stringValue } from './otlp-json.ts'
import { RequestBatches } from './request-batches.ts'
import type { TemplateSource } from './request-template.ts'
import type { TrafficParts } from './trace-requests.ts'

/** Once in so many lines stands a word that stands nowhere else. */
export const rareWordEvery = 20_000
/** The word of those lines. */
export const rareWord = 'quarantined'

type Line = (parts: TrafficParts) => string

const severities = [
  { number: 9, text: 'INFO' },
  { number: 13, text: 'WARN' },
  { number: 17, text: 'ERROR' },
] as const

const actions = ['created', 'updated', 'confirmed', 'shipped', 'cancelled', 'refunded', 'archived', 'merged']
const stages = ['validation', 'pricing', 'reservation', 'payment', 'dispatch', 'notification']

/** Two of three lines are plain information; of the rest most are warnings. */
const information: readonly Line[] = stages.flatMap(stage =>
  actions.map(
    action =>
      ({ marks, random }: TrafficParts): string =>
        `order ${marks.hex()} ${action} after ${stage} in ${random.below(900) + 10} ms for user-${random.below(50_000)}, ${random.below(20) + 1} items, region eu-west-${1 + random.below(3)}, cache ${random.next() < 0.8 ? 'hit' : 'miss'}`,
  ),
)
const warnings: readonly Line[] = stages.map(
  stage =>
    ({ marks, random }: TrafficParts): string =>
      `retrying ${stage} of order ${marks.hex()} after timeout of ${500 + random.below(4_000)} ms, attempt ${1 + random.below(5)} of 5, connection ${random.below(64)} to 10.${random.below(256)}.${random.below(256)}.${random.below(256)}:5432 was closed`,
)
const errors: readonly Line[] = stages.map(
  stage =>
    ({ marks, random }: TrafficParts): string =>
      `${stage} failed for order ${marks.hex()}: upstream answered 503 after ${random.below(9_000)} ms, circuit breaker opened for ${random.below(60)} s, request ${random.below(1e9)} was rejected`,
)

/** In the order in which they are sent. */
export function logRequests(parts: TrafficParts, plan: SignalPlan): readonly TemplateSource[] {
  const { profile, calls, marks, random } = parts
  const batches = new RequestBatches(profile, plan)
  for (let line = 0; line < plan.items; line++) {
    const service = random.below(calls.services.length)
    const level = random.next() < 0.7 ? 0 : random.next() < 0.8 ? 1 : 2
    const lines = [information, warnings, errors][level] ?? information
    const text = lines[random.below(lines.length)]?.(parts) ?? ''
    const severity = severities[level] ?? severities[0]
    const offsetNs = BigInt(Math.round((line / plan.items) * plan.spanMs * 1e6)) + BigInt(random.below(1_000))
    const time = marks.time(offsetNs)
    const json = {
      timeUnixNano: time,
      observedTimeUnixNano: time,
      severityNumber: severity.number,
      severityText: severity.text,
      body: { stringValue: line % rareWordEvery === 7 ? `${text}, message ${rareWord}` : text },
      attributes: [
        stringValue('code.function.name', `handler${random.below(30)}`),
        { key: 'thread.id', value: { intValue: random.below(64) } },
      ],
      traceId: `${marks.id()}${marks.id()}`,
      spanId: marks.id(),
    }
    batches.add({ service, json }, (line + 1) / plan.items)
  }
  return batches.finish().map(({ items, at }) => {
    const json = JSON.stringify({
      resourceLogs: groupByService(calls, items).map(({ resource, items: logRecords }) => ({
        resource,
        scopeLogs: [{ scope: { name: 'otelcontext.load', version: '1' }, logRecords }],
      })),
    })
    return { signal: 'logs', items: items.length, at, json }
  })
}
