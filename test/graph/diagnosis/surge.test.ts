import { describe, expect, it } from 'vitest'
import { ask, faultMs, firm, history, readerOf, recompute } from './asking.ts'
import type { Fault } from './synthetic-system.ts'

/** One query at a time: at six requests a second the database is busy for a quarter of the time. */
const queueMs = 40
/** At three times the requests it is asked for more than there is time. */
const narrowMs = 60

const traffic = (factor: number): Fault => ({ kind: 'traffic', factor })

describe('a surge of traffic', () => {
  it('is healthy while it makes a database queue and users hardly notice', async () => {
    for (const seed of [1, 2]) {
      const diagnosis = await ask(readerOf(history(traffic(2), seed, { queueMs })))
      expect({ seed, verdict: diagnosis.verdict, causes: diagnosis.causes }).toEqual({
        seed,
        verdict: 'healthy',
        causes: [],
      })
      const slower = diagnosis.ruledOut.find(one => one.service === 'stockdb')
      expect(slower).toMatchObject({ reason: 'explained_by_traffic', explainedBy: 'gateway' })
      expect(slower?.measured['slow_share']).toBeGreaterThan(
        2 * (slower?.measured['baseline_slow_share'] ?? 1),
      )
    }
  })

  it('is reported as an observation, with both rates and when it came', async () => {
    const { traffic: changes } = await ask(readerOf(history(traffic(2))))
    expect(changes.map(one => one.service)).toEqual(['gateway'])
    const [change] = changes
    expect((change?.nowPerS ?? 0) / (change?.beforePerS ?? 1)).toBeCloseTo(2, 0)
    expect((change?.onsetMs ?? 0) - faultMs).toBeGreaterThanOrEqual(0)
    expect((change?.onsetMs ?? 0) - faultMs).toBeLessThan(8_000)
  })

  it('is no observation while traffic is what it was', async () => {
    expect((await ask(readerOf(history({ kind: 'none' })))).traffic).toEqual([])
  })

  it('is itself the cause, and not the database, once users wait for what it asks too much of', async () => {
    for (const seed of [1, 2]) {
      const diagnosis = await ask(readerOf(history(traffic(3), seed, { queueMs: narrowMs })))
      const [first] = diagnosis.causes
      expect(first?.location.service).toBe('gateway')
      expect(first?.kind).toBe('surge')
      expect(firm(diagnosis)).toBe(true)
      expect(diagnosis.causes.map(cause => cause.location.service)).not.toContain('stockdb')
      for (const cause of diagnosis.causes) expect(recompute(cause, diagnosis.bias)).toBe(cause.score)
    }
  })

  const faults: readonly { readonly name: string; readonly fault: Fault; readonly truth: string }[] = [
    { name: 'slow code', fault: { kind: 'slow', service: 'storage', ms: 60 }, truth: 'storage' },
    { name: 'a slow network', fault: { kind: 'network', service: 'advice', ms: 80 }, truth: 'advice' },
    { name: 'a busy processor', fault: { kind: 'cpu', service: 'advice' }, truth: 'advice' },
    { name: 'errors', fault: { kind: 'failing', service: 'billing', share: 0.5 }, truth: 'billing' },
    {
      name: 'skipped work',
      fault: { kind: 'skips_call', service: 'orders', callee: 'reserve' },
      truth: 'orders',
    },
    { name: 'a slow database', fault: { kind: 'peer_slow', peer: 'stockdb', ms: 60 }, truth: 'stockdb' },
  ]
  for (const { name, fault, truth } of faults) {
    it(`does not hide ${name} that comes with it`, async () => {
      const diagnosis = await ask(readerOf(history(fault, 5, { surge: 2 })))
      expect(diagnosis.causes[0]?.location.service).toBe(truth)
      expect(diagnosis.causes[0]?.kind).not.toBe('surge')
      expect(firm(diagnosis)).toBe(true)
      expect(diagnosis.traffic.map(one => one.service)).toEqual(['gateway'])
    })
  }

  it('does not hide a queue that comes from a slow database rather than from more requests', async () => {
    const slow = { kind: 'peer_slow', peer: 'stockdb', ms: 60 } as const
    const diagnosis = await ask(readerOf(history(slow, 1, { surge: 2, queueMs: 20 })))
    expect(diagnosis.causes[0]?.location.service).toBe('stockdb')
    expect(firm(diagnosis)).toBe(true)
  })
})
