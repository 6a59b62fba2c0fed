import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../../../src/graph/anomalies.ts'
import { groupIncidents, incidentFeatures } from '../../../src/graph/similar/incidents.ts'

const anomaly = (service: string, onsetMs: number, endMs: number | null): Anomaly => ({
  kind: 'errors',
  service,
  of: 'service',
  name: '',
  detail: '',
  key: [service],
  direction: 'up',
  onsetMs,
  endMs,
  baselineValue: 0,
  value: 9,
  unit: 'pct',
  strength: 2,
  affected: 9,
})

describe('groupIncidents', () => {
  it('puts together what overlaps or nearly does, in any order', () => {
    const found = groupIncidents(
      [anomaly('c', 500, null), anomaly('a', 0, 100), anomaly('b', 150, 200), anomaly('a', 300, 310)],
      60,
    )
    expect(found.map(one => [one.fromMs, one.toMs, one.anomalies.map(({ service }) => service)])).toEqual([
      [0, 200, ['a', 'b']],
      [300, 310, ['a']],
      [500, null, ['c']],
    ])
  })

  it('compares what moved and which way, each once', () => {
    const [incident] = groupIncidents([anomaly('a', 0, 100), anomaly('a', 50, 70)], 0)
    expect(incident && incidentFeatures(incident)).toEqual(['a errors service up', 'a errors up'])
  })
})
