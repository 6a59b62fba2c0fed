import { expect, test } from 'vitest'
import { fuzz, noFigures } from './run-fuzz.ts'
import { type FuzzTarget, makeTargets } from './targets.ts'

test('random input of every kind is read or refused, never anything else, and never slowly', async () => {
  const figures = noFigures()
  const targets = makeTargets()
  await fuzz(targets, 1, 0, 150, figures)
  expect(figures.failures).toEqual([])
  expect(figures.inputs).toBe(targets.reduce((sum, { share }) => sum + share, 0) * 150)
  expect(figures.refused / figures.inputs).toBeGreaterThan(0.2)
  expect(figures.refused / figures.inputs).toBeLessThan(0.9)
})

test('what throws something else than a refusal is reported with the number that repeats it', async () => {
  const figures = noFigures()
  const broken: FuzzTarget = {
    name: 'broken',
    share: 1,
    run(random) {
      if (random(10) === 0) throw new TypeError('oh')
      return 1
    },
  }
  await fuzz([broken], 7, 0, 100, figures)
  expect(figures.failures.length).toBeGreaterThan(2)
  const again = noFigures()
  const { input = -1 } = figures.failures[0] ?? {}
  await fuzz([broken], 7, input, input + 1, again)
  expect(again.failures).toMatchObject([{ target: 'broken', input, problem: expect.stringContaining('oh') }])
})
