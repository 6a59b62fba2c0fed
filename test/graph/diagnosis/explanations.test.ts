import { describe, expect, it } from 'vitest'
import { nextTowards } from '../../../src/graph/diagnosis/call-paths.ts'
import { diagnose } from '../../../src/graph/diagnosis/diagnose.ts'
import type { Diagnosis } from '../../../src/graph/diagnosis/diagnosis.ts'
import { baseMs, endMs, faultMs, history, patient, readerOf } from './asking.ts'
import type { Fault } from './synthetic-system.ts'

const ask = (fault: Fault): Promise<Diagnosis> =>
  diagnose({
    reader: readerOf(history(fault, 1)),
    window: { fromMs: faultMs, toMs: endMs },
    baseline: { fromMs: baseMs, toMs: faultMs },
    service: null,
    deadline: patient,
  })

describe('what a diagnosis explains', () => {
  it('says who followed the cause, and through whom', async () => {
    const { onsets } = await ask({ kind: 'failing', service: 'storage', share: 0.9 })
    const through = new Map(onsets.map(onset => [onset.service, onset.through]))
    expect(through.get('storage')).toBe('')
    expect(through.get('catalog')).toBe('storage')
    expect(through.get('orders')).toBe('storage')
    expect(['catalog', 'orders']).toContain(through.get('gateway'))
    expect(onsets.find(onset => onset.service === 'storage')?.afterMs).toBe(0)
  })

  it('tells when requests of a victim were hit, not when some noise of it began', async () => {
    const { causes, onsets } = await ask({ kind: 'failing', service: 'storage', share: 0.9 })
    const noise = causes.slice(1).filter(cause => cause.score < 0.1)
    for (const { location } of noise) {
      const onset = onsets.find(one => one.service === location.service)
      if (onset !== undefined) expect(onset.signal).not.toBe('resource')
    }
    expect(onsets.find(onset => onset.service === 'gateway')?.signal).toBe('errors')
  })

  it('covers every way in which requests from outside ended, each with a trace and how many there are', async () => {
    const { exemplars, shapesLeftOut } = await ask({ kind: 'failing', service: 'storage', share: 0.9 })
    const shapes = exemplars.map(one => one.shape).join('\n')
    expect(shapes).toMatch(/gateway GET \/items failed/)
    expect(shapes).toMatch(/gateway POST \/orders failed/)
    expect(shapes).toMatch(/storage: error_origin/)
    expect(shapesLeftOut).toBe(0)
    expect(new Set(exemplars.map(one => one.traceId)).size).toBe(exemplars.length)
  })

  it('counts no call twice where failures spread', async () => {
    const { blastRadius, coverage } = await ask({ kind: 'failing', service: 'storage', share: 0.9 })
    for (const edge of blastRadius.propagation) {
      expect(edge.calleeFailed).toBeLessThanOrEqual(coverage.window.traces)
      expect(edge.callerFailed).toBeLessThanOrEqual(edge.calleeFailed)
    }
    const direct = blastRadius.propagation.filter(edge => edge.callee === 'storage')
    expect(direct.map(edge => edge.caller).sort()).toEqual(['catalog', 'orders'])
  })

  it('says of a second cause how far it goes along with the first', async () => {
    const { causes, sharedWithFirst } = await ask({ kind: 'peer_slow', peer: 'stockdb', ms: 40 })
    expect(sharedWithFirst).toHaveLength(causes.length)
    expect(sharedWithFirst[0]).toBeNull()
    for (const share of sharedWithFirst.slice(1)) if (share !== null) expect(share).toBeLessThanOrEqual(1)
  })

  it('leaves open what is open only: a firm answer needs no further observation', async () => {
    const { verdict, deciding } = await ask({ kind: 'failing', service: 'storage', share: 0.9 })
    expect(['confirmed', 'likely']).toContain(verdict)
    expect(deciding).toBeNull()
  })
})

describe('nextTowards', () => {
  it('goes the shortest way, by name where two are as short, and ends in circles', () => {
    const edges = [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'd'],
      ['c', 'd'],
      ['d', 'a'],
      ['z', 'a'],
    ].map(([caller = '', callee = '']) => ({ caller, callee }))
    expect([...nextTowards(edges, 'd')].sort()).toEqual([
      ['a', 'b'],
      ['b', 'd'],
      ['c', 'd'],
      ['z', 'a'],
    ])
  })
})
