import { expect, test } from 'vitest'
import { tryOrders } from './arrival-order.ts'

test('the same telemetry in any order, in any batches, repeated and late, makes the same graph and traces', () => {
  let orders = 0
  let cells = 0
  let repeats = 0
  for (let seed = 1; seed <= 100; seed++) {
    const figures = tryOrders(seed, 20)
    expect(figures.difference, `seed ${seed}`).toBe('')
    orders += figures.orders
    cells += figures.cells
    repeats += figures.repeats
  }
  expect(orders).toBe(2_000)
  expect(cells).toBeGreaterThan(1_000)
  expect(repeats).toBeGreaterThan(1_000)
})
