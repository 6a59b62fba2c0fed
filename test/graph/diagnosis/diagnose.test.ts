import { describe, expect, it } from 'vitest'
import { diagnose } from '../../../src/graph/diagnosis/diagnose.ts'
import { ask, baseMs, endMs, faultMs, firm, history, patient, readerOf, recompute } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { type Fault, makeHistory, seeded } from './synthetic-system.ts'

const faults: readonly {
  readonly name: string
  readonly fault: Fault
  readonly truth: string
  readonly kinds: readonly string[]
}[] = [
  {
    name: 'slow code',
    fault: { kind: 'slow', service: 'billing', ms: 200 },
    truth: 'billing',
    kinds: ['slow'],
  },
  {
    name: 'slow code deep below',
    fault: { kind: 'slow', service: 'storage', ms: 60 },
    truth: 'storage',
    kinds: ['slow'],
  },
  {
    name: 'a slow network',
    fault: { kind: 'network', service: 'advice', ms: 80 },
    truth: 'advice',
    kinds: ['slow'],
  },
  {
    name: 'errors',
    fault: { kind: 'failing', service: 'billing', share: 0.5 },
    truth: 'billing',
    kinds: ['failing'],
  },
  {
    name: 'work that is skipped',
    fault: { kind: 'skips_call', service: 'orders', callee: 'reserve' },
    truth: 'orders',
    kinds: ['not_called', 'changed'],
  },
  {
    name: 'a query for every row',
    fault: { kind: 'repeats_call', service: 'storage', callee: 'db:stockdb', times: 10 },
    truth: 'storage',
    kinds: ['changed'],
  },
  {
    name: 'a busy processor',
    fault: { kind: 'cpu', service: 'advice' },
    truth: 'advice',
    kinds: ['saturated'],
  },
  {
    name: 'a dependency that is down and sends no telemetry',
    fault: { kind: 'peer_down', peer: 'stockdb' },
    truth: 'stockdb',
    kinds: ['failing'],
  },
  {
    name: 'a dependency that is slow and sends no telemetry',
    fault: { kind: 'peer_slow', peer: 'stockdb', ms: 90 },
    truth: 'stockdb',
    kinds: ['slow'],
  },
  {
    name: 'a bad release',
    fault: { kind: 'release', service: 'catalog', version: '1.1.0', share: 0.6 },
    truth: 'catalog',
    kinds: ['changed', 'failing'],
  },
]

const harmless: readonly { readonly name: string; readonly fault: Fault }[] = [
  { name: 'nothing happens', fault: { kind: 'none' } },
  { name: 'traffic doubles', fault: { kind: 'traffic', factor: 2 } },
  { name: 'traffic falls to a third', fault: { kind: 'traffic', factor: 0.33 } },
  { name: 'an instance restarts', fault: { kind: 'restart', service: 'billing' } },
  {
    name: 'a good release goes out',
    fault: { kind: 'harmless_release', service: 'catalog', version: '1.1.0' },
  },
]

describe('diagnose', () => {
  for (const { name, fault, truth, kinds } of faults) {
    it(`names the place of ${name}, firmly, whatever the seed`, async () => {
      for (const seed of [1, 2]) {
        const diagnosis = await ask(readerOf(history(fault, seed)))
        expect(diagnosis.causes[0]?.location.service).toBe(truth)
        expect(kinds).toContain(diagnosis.causes[0]?.kind)
        expect(firm(diagnosis)).toBe(true)
      }
    })
  }

  for (const { name, fault } of harmless) {
    it(`stays silent when ${name}`, async () => {
      for (const seed of [11, 12]) {
        const diagnosis = await ask(readerOf(history(fault, seed)))
        expect({ seed, verdict: diagnosis.verdict, causes: diagnosis.causes }).toEqual({
          seed,
          verdict: 'healthy',
          causes: [],
        })
      }
    })
  }

  it('does not call a rare operation that fails wholly an incident of the system', async () => {
    for (const seed of [21, 22]) {
      const diagnosis = await ask(readerOf(history({ kind: 'rare_operation' }, seed)))
      expect(firm(diagnosis)).toBe(false)
    }
  })

  it('blames nobody for what slows everything down at once', async () => {
    for (const seed of [31, 32]) {
      const diagnosis = await ask(readerOf(history({ kind: 'busy_host' }, seed)))
      // Users wait, so all is not well either.
      expect(diagnosis.verdict).toBe('inconclusive')
      expect(diagnosis.causes.filter(cause => cause.score > 0.2)).toEqual([])
    }
  })

  it('gives scores that can be recomputed from the answer alone', async () => {
    for (const { fault } of faults) {
      const diagnosis = await ask(readerOf(history(fault)))
      expect(diagnosis.causes.length).toBeGreaterThan(0)
      for (const cause of diagnosis.causes) expect(recompute(cause, diagnosis.bias)).toBe(cause.score)
    }
  })

  it('gives the same answer whatever the order of arrival', async () => {
    const requests = history({ kind: 'slow', service: 'storage', ms: 60 })
    const expected = JSON.stringify(await ask(readerOf(requests, ['traces', 'metrics'])))
    for (const seed of [5, 6]) {
      const random = seeded(seed)
      const shuffled = {
        ...requests,
        traces: requests.traces
          .map(request => ({ request, at: random() }))
          .sort((a, b) => a.at - b.at)
          .map(({ request }) => request),
      }
      expect(JSON.stringify(await ask(readerOf(shuffled, ['traces', 'metrics'])))).toBe(expected)
    }
  })

  it('counts who is hit in the direction of the callers', async () => {
    const diagnosis = await ask(readerOf(history({ kind: 'failing', service: 'billing', share: 0.5 })))
    const { services, propagation } = diagnosis.blastRadius
    const gateway = services.find(one => one.service === 'gateway')
    expect(gateway?.entryPoint).toBe(true)
    expect(services.map(one => one.service)).not.toContain('advice')
    const edge = propagation.find(one => one.caller === 'orders' && one.callee === 'billing')
    expect(edge?.calleeFailed).toBeGreaterThan(10)
    expect(edge?.probability).toBe(1)
  })

  it('places the onset within seconds of the truth and before that of the victims', async () => {
    const late = makeHistory({
      seed: 4,
      fromMs: baseMs,
      toMs: endMs,
      faultMs: faultMs + 20_000,
      fault: { kind: 'slow', service: 'storage', ms: 80 },
      requestsPerSecond: 6,
    })
    const { onsets } = await ask(readerOf(late))
    const storage = onsets.find(one => one.service === 'storage')
    expect(Math.abs((storage?.onsetMs ?? 0) - faultMs - 20_000)).toBeLessThan(5000)
    expect(storage?.endMs).toBeNull()
  })

  it('places the onset at the beginning of a window that is bad throughout', async () => {
    for (const seed of [1, 2, 3]) {
      const { onsets, causes } = await ask(
        readerOf(history({ kind: 'slow', service: 'storage', ms: 60 }, seed)),
      )
      expect(causes[0]?.location.service).toBe('storage')
      expect((causes[0]?.onsetMs ?? endMs) - faultMs).toBeLessThan(2000)
      expect(onsets.find(one => one.service === 'storage')?.onsetMs).toBeLessThan(faultMs + 2000)
    }
  })

  it('names the one instance of several that is slow, and none when all are', async () => {
    const one = await ask(
      readerOf(history({ kind: 'slow', service: 'catalog', ms: 120, instance: 'catalog-b' })),
    )
    expect(one.causes[0]?.location).toMatchObject({ service: 'catalog', instance: 'catalog-b' })
    const all = await ask(readerOf(history({ kind: 'slow', service: 'catalog', ms: 120 })))
    expect(all.causes[0]?.location).toMatchObject({ service: 'catalog', instance: '' })
  })

  it('reports the new version beside the evidence against it', async () => {
    const fault = { kind: 'release', service: 'catalog', version: '1.1.0', share: 0.6 } as const
    const diagnosis = await ask(readerOf(history(fault)))
    expect(diagnosis.causes[0]?.location.version).toBe('1.1.0')
    expect(diagnosis.changes).toContainEqual(
      expect.objectContaining({ kind: 'new_version', service: 'catalog', name: '1.1.0' }),
    )
  })

  it('rules out victims with the service that explains them', async () => {
    const diagnosis = await ask(readerOf(history({ kind: 'slow', service: 'storage', ms: 60 })))
    const catalog = diagnosis.ruledOut.find(one => one.service === 'catalog')
    expect(catalog?.reason).toBe('explained_by_callee')
    expect(catalog?.explainedBy).toBe('storage')
  })

  it('excludes what the service asked about has nothing to do with', async () => {
    const reader = readerOf(history({ kind: 'slow', service: 'billing', ms: 200 }))
    const asked = await ask(reader, 'advice')
    expect(asked.causes.map(cause => cause.location.service)).not.toContain('billing')
    expect(asked.ruledOut).toContainEqual(expect.objectContaining({ service: 'billing', reason: 'no_path' }))
    const related = await ask(reader, 'orders')
    expect(related.causes[0]?.location.service).toBe('billing')
  })

  it('shows traces that exist in the window and are counted', async () => {
    const requests = history({ kind: 'failing', service: 'billing', share: 0.5 })
    const { exemplars } = await ask(readerOf(requests))
    const sent = JSON.stringify(requests.traces)
    expect(exemplars.length).toBeGreaterThan(0)
    for (const { traceId, traces } of exemplars) {
      expect(sent).toContain(traceId)
      expect(traces).toBeGreaterThan(0)
    }
  })

  it('says that there is too little data instead of guessing', async () => {
    const nothing = await ask(new MemoryReader(endMs))
    expect(nothing.verdict).toBe('insufficient_data')
    expect(nothing.causes).toEqual([])
    expect(nothing.coverage.notes).toContain('no_spans')
    expect(nothing.coverage.baselineOrigin).toBe('none')
  })

  it('cannot judge without a baseline', async () => {
    const requests = makeHistory({
      seed: 7,
      fromMs: faultMs,
      toMs: endMs,
      faultMs,
      fault: { kind: 'failing', service: 'billing', share: 0.5 },
      requestsPerSecond: 6,
    })
    expect((await ask(readerOf(requests, ['traces', 'logs']))).verdict).toBe('insufficient_data')
  })

  it('takes the time before the window as baseline when none is given', async () => {
    const reader = readerOf(history({ kind: 'slow', service: 'billing', ms: 200 }))
    const diagnosis = await diagnose({
      reader,
      window: { fromMs: faultMs, toMs: endMs },
      baseline: null,
      service: null,
      deadline: patient,
    })
    expect(diagnosis.coverage.baselineOrigin).toBe('before')
    expect(diagnosis.baseline?.toMs).toBe(faultMs)
    expect(diagnosis.causes[0]?.location.service).toBe('billing')
  })

  it('works with one span per trace', async () => {
    const requests = history({ kind: 'slow', service: 'gateway', ms: 150 })
    const roots = (request: object): object => {
      const { resourceSpans } = request as { resourceSpans: { scopeSpans: { spans: object[] }[] }[] } // made above
      const isRoot = (span: object) => !('parentSpanId' in span)
      return {
        resourceSpans: resourceSpans.filter(one => one.scopeSpans.every(scope => scope.spans.every(isRoot))),
      }
    }
    const diagnosis = await ask(readerOf({ ...requests, traces: requests.traces.map(roots) }, ['traces']))
    expect(diagnosis.coverage.window.spans).toBe(diagnosis.coverage.window.traces)
    expect(diagnosis.causes[0]?.location.service).toBe('gateway')
    expect(firm(diagnosis)).toBe(true)
  })

  it('works with metrics alone', async () => {
    const diagnosis = await ask(readerOf(history({ kind: 'cpu', service: 'advice' }), ['metrics']))
    expect(diagnosis.causes[0]?.location.service).toBe('advice')
    expect(diagnosis.causes[0]?.location.resource).toBe('process.cpu.utilization')
    expect(diagnosis.coverage.notes).toContain('no_spans')
  })

  it('says so when there are logs alone', async () => {
    const diagnosis = await ask(
      readerOf(history({ kind: 'failing', service: 'billing', share: 0.5 }), ['logs']),
    )
    expect(diagnosis.verdict).toBe('insufficient_data')
    expect(diagnosis.changes.map(change => change.kind)).toContain('new_template')
  })

  it('stops wherever the time is over, in reading, between stages and between candidates', async () => {
    const reader = readerOf(history({ kind: 'slow', service: 'billing', ms: 200 }))
    const askFor = async (checks: number): Promise<number> => {
      let asked = 0
      const check = () => {
        if (++asked > checks) throw new Error('time is over')
      }
      await diagnose({
        reader,
        window: { fromMs: faultMs, toMs: endMs },
        baseline: { fromMs: baseMs, toMs: faultMs },
        service: null,
        deadline: { signal: new AbortController().signal, check },
      })
      return asked
    }
    const all = await askFor(Number.POSITIVE_INFINITY)
    // Some two thousand traces are looked at several times, a few dozen between two looks at the clock.
    expect(all).toBeGreaterThan(100)
    for (const share of [0, 0.2, 0.4, 0.6, 0.8]) {
      await expect(askFor(Math.floor(share * all))).rejects.toThrow('time is over')
    }
    await expect(askFor(all - 1)).rejects.toThrow('time is over')
    expect(await askFor(all)).toBe(all)
  })
})
