import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spanRequest } from '../requests.ts'
import { EngineHarness } from './engine-harness.ts'

const spansPerRequest = 3

function namesUpTo(requests: number): readonly string[] {
  const names: string[] = []
  for (let seed = 0; seed < requests; seed++) {
    for (let i = 0; i < spansPerRequest; i++) names.push(`${seed}-${i}`)
  }
  return names.sort()
}

/** Highest position a reader that has heard all delivered messages must see. */
async function visiblePosition(harness: EngineHarness): Promise<number> {
  const reader = await harness.open()
  const { position } = reader.asOf
  await reader.release()
  return position
}

test('a read at any step between seal, commit and trim finds every item exactly once', async () => {
  const step = fc.record({
    requests: fc.integer({ min: 0, max: 3 }),
    deliver: fc.integer({ min: 0, max: 3 }),
    turns: fc.integer({ min: 0, max: 3 }),
    handOver: fc.boolean(),
  })
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 8, maxLength: 16 }),
      fc.nat(3),
      async (steps, hookDeliver) => {
        const harness: EngineHarness = new EngineHarness({
          tickMs: 60,
          core: { sealLimits: { items: 12, bytes: 2 ** 25, ageMs: 400 } },
          hook: async when => {
            try {
              await checkRead(when)
              harness.deliver(hookDeliver)
              await checkRead(when)
            } catch (error) {
              // Thrown here it would look like a store that fails, and the seal would be tried again.
              failure ??= error
            }
          },
        })
        let highest = 0
        let failure: unknown = null
        async function checkRead(when: string): Promise<void> {
          const before = await visiblePosition(harness)
          const names = await harness.spanNames()
          const after = await visiblePosition(harness)
          expect(names.length % spansPerRequest).toBe(0)
          // One request a position: the view is the first so many requests, each span of them once.
          expect(names).toEqual(namesUpTo(names.length / spansPerRequest))
          expect(names.length / spansPerRequest).toBeGreaterThanOrEqual(before)
          expect(names.length / spansPerRequest).toBeLessThanOrEqual(after)
          expect(after).toBeGreaterThanOrEqual(highest)
          highest = after
          seen.add(when)
        }
        try {
          await harness.start()
          let seed = 0
          for (const { requests, deliver, turns, handOver } of steps) {
            for (let i = 0; i < requests; i++)
              harness.inboxes.ingest(spanRequest({ seed: seed++, spans: spansPerRequest }))
            if (handOver) harness.handOver()
            for (let i = 0; i < turns; i++) await new Promise(resolve => setTimeout(resolve, 4))
            harness.deliver(deliver)
            await checkRead('between')
            if (failure !== null) throw failure
          }
          harness.handOver()
          await expect.poll(() => harness.core?.figures().sealedPosition, { interval: 5 }).toBe(seed)
          harness.deliver()
          expect(await harness.spanNames()).toEqual(namesUpTo(seed))
          if (failure !== null) throw failure
        } finally {
          await harness.remove()
        }
      },
    ),
    { numRuns: 12, endOnFailure: true },
  )
  expect([...seen].sort()).toEqual(['after commit', 'after trim', 'before commit', 'before trim', 'between'])
})
