import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Evidence, gatherEvidence } from '../../../src/graph/diagnosis/evidence.ts'
import { type Finding, makeFeature, strengthOf } from '../../../src/graph/diagnosis/finding.ts'
import { releaseFeatures } from '../../../src/graph/diagnosis/release-feature.ts'
import { baseMs, endMs, faultMs, history, patient, readerOf } from './asking.ts'

const released = await gatherEvidence({
  reader: readerOf(history({ kind: 'harmless_release', service: 'catalog', version: '1.1.0' })),
  window: { fromMs: faultMs, toMs: endMs },
  baseline: { fromMs: baseMs, toMs: faultMs },
  service: null,
  deadline: patient,
})

/** What a release adds beside time evidence of so much, in all traces that came by. */
function added(value: number, evidence: Evidence = released): number {
  const catalog = evidence.names.id('catalog')
  const { set } = evidence.window
  const rows = Array.from({ length: set.spans }, (_, row) => row).filter(row => set.service[row] === catalog)
  const finding: Finding = {
    service: 'catalog',
    peer: false,
    feature: makeFeature('own_time', value, {}, []),
    place: {},
    traces: new Set(rows.map(row => set.trace[row] ?? 0)),
    onsetMs: null,
  }
  const [release] = releaseFeatures(evidence, [finding])
  return release === undefined ? 0 : strengthOf('release', release.feature.value)
}

describe('a release', () => {
  it('counts for no more than the other evidence against its service, however little that is', () => {
    for (const value of [0.005, 0.02, 0.1]) {
      expect(added(value)).toBeGreaterThan(0)
      expect(added(value)).toBeLessThanOrEqual(strengthOf('own_time', value) + 1e-3)
    }
  })

  it('counts in full beside strong evidence, and never less for more of it', () => {
    expect(added(0.9)).toBeCloseTo(strengthOf('release', 1), 1)
    const share = fc.double({ min: 0.001, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, (a, b) => {
        expect(added(Math.max(a, b))).toBeGreaterThanOrEqual(added(Math.min(a, b)))
      }),
      { numRuns: 50 },
    )
  })
})
