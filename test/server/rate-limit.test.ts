import { expect, it } from 'vitest'
import { RateLimit } from '../../src/server/rate-limit.ts'
import { ManualClock } from './manual-clock.ts'

it('lets each principal through at its rate and tells the others how long to wait', () => {
  const clock = new ManualClock()
  const limit = new RateLimit(10, clock)
  for (let i = 0; i < 10; i++) expect(limit.waitMs('a')).toBe(0)
  expect(limit.waitMs('a')).toBe(100)
  expect(limit.waitMs('b')).toBe(0)
  clock.nowMs += 100
  expect(limit.waitMs('a')).toBe(0)
  expect(limit.waitMs('a')).toBe(100)
  clock.nowMs += 3_600_000
  for (let i = 0; i < 10; i++) expect(limit.waitMs('a')).toBe(0)
  expect(limit.waitMs('a')).toBe(100)
})

it('a clock that goes back neither gives nor takes', () => {
  const clock = new ManualClock()
  const limit = new RateLimit(1, clock)
  expect(limit.waitMs('a')).toBe(0)
  clock.nowMs -= 60_000
  expect(limit.waitMs('a')).toBe(1_000)
})
