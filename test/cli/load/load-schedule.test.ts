import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LatencyRecord } from '../../../src/cli/load/latency-record.ts'
import { type LoadCommandOptions, loadOrder } from '../../../src/cli/load/load-command.ts'
import { schedule } from '../../../src/cli/load/load-schedule.ts'

const typed: LoadCommandOptions = {
  transport: 'http',
  rate: '10',
  duration: '60s',
  warmup: '0s',
  services: '20',
  operations: '12',
  attributes: '10',
  batch: '100',
  batchBy: 'service',
  errors: '1',
  tenants: '1',
  connections: '8',
  seed: '1',
}

describe('the schedule of a load', () => {
  it('ends with its duration, never turns back, and offers a burst its factor', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 600_000 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 60 }),
        (durationMs, factor, seconds) => {
          const plan = schedule(durationMs, { factor, seconds })
          expect(plan.dueMs(0)).toBe(0)
          expect(plan.dueMs(plan.usualMs)).toBeCloseTo(durationMs, 6)
          const burstMs = Math.min(durationMs, seconds * 1_000)
          expect(plan.usualMs).toBe(durationMs + burstMs * (factor - 1))
          let last = 0
          for (let step = 0; step <= 50; step++) {
            const due = plan.dueMs((plan.usualMs * step) / 50)
            expect(due).toBeGreaterThanOrEqual(last)
            last = due
          }
        },
      ),
    )
  })
})

describe('what is typed', () => {
  it('makes rates those of all services, and told time run from --since until now', () => {
    const order = loadOrder({ ...typed, rate: '50', since: '59m', duration: '60s', services: '200' })
    expect(order.rates).toEqual({ traces: 10_000, logs: 0, metrics: 0 })
    const [plan] = order.plans
    const rounds = (order.durationMs / 1_000) * (10_000 / (plan?.items ?? 0))
    expect(rounds * (plan?.spanMs ?? 0)).toBeCloseTo(60 * 60_000, 3)
  })

  const bad: readonly (readonly [keyof LoadCommandOptions, string])[] = [
    ['services', '0'],
    ['rate', 'fast'],
    ['duration', '10'],
    ['burst', '10'],
    ['batch', '1.5'],
    ['errors', '200'],
  ]
  for (const [name, text] of bad) {
    it(`refuses --${name} ${text} and says what it may be`, () => {
      const flag = new RegExp(`--${name} is "${text}"`)
      expect(() => loadOrder({ ...typed, [name]: text })).toThrow(flag)
    })
  }
})

describe('recorded latencies', () => {
  it('give quantiles within one percent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 500 }),
        fc.constantFrom(0, 0.5, 0.9, 0.99, 1),
        (values, q) => {
          const record = new LatencyRecord()
          for (const value of values) record.add(value)
          const sorted = values.toSorted((a, b) => a - b)
          const exact = sorted[Math.floor(q * (sorted.length - 1))] ?? 0
          expect(Math.abs((record.quantile(q) ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.01 + 0.001)
        },
      ),
    )
  })

  it('are null without any', () => {
    expect(new LatencyRecord().quantile(0.99)).toBeNull()
  })
})
