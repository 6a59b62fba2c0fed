/** A fault that fills the baseline, too, changes nothing against it; the answer must not sound as if all were well. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { shopEndMs, shopFaultMs, shopRequests } from './shop-telemetry.ts'
import { startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

let system: TelemetrySystem

beforeAll(() => {
  system = startTelemetrySystem(shopEndMs)
  system.publish(shopRequests())
})
afterAll(() => system.close())

const minuteMs = 60_000
const time = (ms: number): string => new Date(ms).toISOString()
const within = {
  from: time(shopFaultMs + 15 * minuteMs),
  to: time(shopEndMs),
  baseline_from: time(shopFaultMs + minuteMs),
  baseline_to: time(shopFaultMs + 15 * minuteMs),
}
const before = { from: time(shopFaultMs - 10 * minuteMs), to: time(shopFaultMs) }

it('the service map names who fails as much as in the baseline', async () => {
  const map = await system.ask('get_service_map', within)
  expect(map.answer).toMatch(/Failing as in the baseline: .*payment \d/)
  expect(map.status).not.toBe('healthy')
})

it('the service itself is said to fail as it did', async () => {
  const health = await system.ask('get_service_health', { service: 'payment', ...within })
  expect(health.answer).toMatch(/^payment is failing as it did in the baseline: /)
  expect(health.status).not.toBe('healthy')
})

it('nothing of the kind is said where little fails', async () => {
  const map = await system.ask('get_service_map', before)
  const health = await system.ask('get_service_health', { service: 'payment', ...before })
  expect(map.answer).toMatch(/\d services/)
  expect(health.answer).toMatch(/^payment is (healthy|unknown): /)
  expect(map.answer).not.toMatch(/baseline: /)
})
