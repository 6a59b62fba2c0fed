/** Questions about times and services for which there is no telemetry: each is told apart from the others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shopEndMs, shopFaultMs, shopRequests, shopStartMs } from './shop-telemetry.ts'
import { startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

let system: TelemetrySystem

beforeAll(() => {
  system = startTelemetrySystem(shopEndMs + 4 * 3_600_000)
  system.publish(shopRequests())
})
afterAll(() => system.close())

const time = (ms: number): string => new Date(ms).toISOString()
const hourMs = 3_600_000

describe.each(['investigate', 'root_cause_analysis'])('%s', tool => {
  const ask = (fromMs: number, toMs: number, more: object = {}) =>
    system.ask(tool, {
      ...(tool === 'root_cause_analysis' ? { service: 'payment' } : {}),
      from: time(fromMs),
      to: time(toMs),
      ...more,
    })

  it('says of a time in which nothing came that it holds nothing', async () => {
    const answer = await ask(shopEndMs + hourMs, shopEndMs + 2 * hourMs)
    expect(answer).toMatchObject({
      failed: false,
      status: 'nothing_in_window',
      facts: { verdict: 'insufficient_data' },
    })
  })

  it('says of a time before everything kept that it is past retention', async () => {
    const answer = await ask(shopFaultMs - 90 * 24 * hourMs, shopFaultMs - 89 * 24 * hourMs)
    expect(answer).toMatchObject({
      failed: false,
      status: 'past_retention',
      facts: { verdict: 'insufficient_data' },
    })
  })

  it('does not answer about the future', async () => {
    const answer = await ask(shopEndMs + 100 * hourMs, shopEndMs + 101 * hourMs)
    expect(answer).toMatchObject({
      failed: true,
      error: { code: 'invalid_window', field: 'from', example: 'now-15m' },
    })
    expect(answer.answer).toContain('in the future')
  })

  it('does not guess from one second', async () => {
    const answer = await ask(shopFaultMs + 60_000, shopFaultMs + 61_000)
    expect(answer).toMatchObject({ failed: false, facts: { verdict: 'insufficient_data' } })
  })

  it('does not judge without anything to compare with', async () => {
    const answer = await ask(shopFaultMs, shopEndMs, {
      baseline_from: time(shopFaultMs - 48 * hourMs),
      baseline_to: time(shopFaultMs - 47 * hourMs),
    })
    expect(answer).toMatchObject({
      failed: false,
      facts: { verdict: 'insufficient_data', baseline_origin: 'none' },
    })
  })

  it('says from when on there is data where the window reaches back to all of it', async () => {
    const answer = await ask(shopStartMs - 10 * 60_000, shopEndMs)
    expect(answer).toMatchObject({ failed: false, facts: { baseline_origin: 'none' } })
    expect(answer.answer).toMatch(/the oldest data is of 2026-01-15T12:00:\S+Z: let from be later/)
  })

  it('knows no service that never existed, and says which one may be meant', async () => {
    const answer = await ask(shopFaultMs, shopEndMs, { service: 'paymnet' })
    expect(answer).toMatchObject({
      failed: true,
      error: { code: 'no_such_entity', did_you_mean: ['payment'] },
    })
  })
})
