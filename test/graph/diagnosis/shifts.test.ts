import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flowShifts } from '../../../src/graph/diagnosis/flow-shift.ts'
import { metricRole } from '../../../src/graph/diagnosis/metric-meaning.ts'
import type { MetricSeries } from '../../../src/graph/diagnosis/metric-series.ts'
import { resourceShifts } from '../../../src/graph/diagnosis/resource-shift.ts'
import { traceStateOf, weightOf } from '../../../src/graph/diagnosis/source-sampling.ts'
import { riseEvidence } from '../../../src/graph/diagnosis/two-sample.ts'
import {
  activeMs,
  beforeWholeWindow,
  defaultBaseline,
  withoutOverlap,
} from '../../../src/graph/diagnosis/windows.ts'

describe('riseEvidence', () => {
  it('is never negative, and nothing without a rise', () => {
    const counts = fc.tuple(
      fc.nat(100),
      fc.integer({ min: 1, max: 100 }),
      fc.nat(100),
      fc.integer({ min: 1, max: 100 }),
    )
    fc.assert(
      fc.property(counts, ([hits, total, baseHits, baseTotal]) => {
        const share = Math.min(hits, total) / total
        const before = Math.min(baseHits, baseTotal) / baseTotal
        const evidence = riseEvidence(Math.min(hits, total), total, Math.min(baseHits, baseTotal), baseTotal)
        expect(evidence).toBeGreaterThanOrEqual(0)
        // Half a hit is lent to the baseline, which small counts feel.
        if (share <= before) expect(evidence).toBeLessThan(3)
      }),
      { seed: 3 },
    )
  })

  it('stays small while either side is small', () => {
    const both = riseEvidence(250, 250, 0, 250)
    expect(riseEvidence(500, 500, 0, 2)).toBeLessThan(both / 8)
    expect(riseEvidence(2, 2, 0, 500)).toBeLessThan(both / 8)
  })
})

describe('metricRole', () => {
  const roles = [
    ['process.cpu.utilization', 'cpu'],
    ['container_cpu_usage_seconds', 'cpu'],
    ['k8s.pod.memory.usage', 'memory'],
    ['jvm.memory.used', 'memory'],
    ['k8s.node.cpu.usage', 'none'],
    ['system.memory.utilization', 'none'],
    ['k8s.container.cpu_limit', 'none'],
    ['http.server.request.duration', 'latency'],
    ['rpc.client.duration', 'none'],
    ['latency.p99', 'latency_quantile'],
    ['availability.average', 'availability'],
    ['requestErrors', 'errors'],
    ['requests.sum', 'requests'],
    ['queue.name', 'none'],
  ] as const
  for (const [name, role] of roles) {
    it(`reads ${name} as ${role}`, () => expect(metricRole(name)).toBe(role))
  }
})

function series(
  service: string,
  values: readonly number[],
  metric = 'process.cpu.utilization',
): MetricSeries {
  return {
    id: { service, metric, instance: `${service}-1`, attributes: '' },
    role: metricRole(metric),
    unit: metric.endsWith('utilization') ? '1' : 'By',
    values,
    rates: [],
    timesMs: values.map((_, i) => i * 10_000),
  }
}

const keyed = (all: readonly MetricSeries[]): ReadonlyMap<string, MetricSeries> =>
  new Map(all.map(one => [`${one.id.service}\n${one.id.metric}`, one]))

describe('resourceShifts', () => {
  const quiet = Array.from({ length: 30 }, (_, i) => 0.05 + 0.01 * Math.sin(i))

  it('finds the process that became busy, with its onset', () => {
    const now = [0.05, 0.05, 0.9, 0.92, 0.91, 0.9]
    const [shift] = resourceShifts(
      keyed([series('a', now), series('b', quiet)]),
      keyed([series('a', quiet), series('b', quiet)]),
    )
    expect(shift?.id.service).toBe('a')
    expect(shift?.strength).toBeGreaterThan(0.7)
    expect(shift?.onsetMs).toBe(20_000)
  })

  it('makes nothing of a tenfold rise that leaves the process idle', () => {
    const [shift] = resourceShifts(
      keyed([series('a', [0.06, 0.06])]),
      keyed([
        series(
          'a',
          quiet.map(value => value / 10),
        ),
      ]),
    )
    expect(shift?.strength ?? 0).toBeLessThan(0.1)
  })

  it('makes nothing of a value that its history has seen before', () => {
    const spiky = quiet.map((value, i) => (i % 7 === 0 ? 0.9 : value))
    const [shift] = resourceShifts(keyed([series('a', [0.9, 0.9])]), keyed([series('a', spiky)]))
    expect(shift?.strength ?? 0).toBeLessThan(0.15)
  })

  it('expects more processor time with more traffic, and no more than that', () => {
    const find = (level: number, factor: number) =>
      resourceShifts(
        keyed([series('a', [level, level, level])]),
        keyed([
          series(
            'a',
            quiet.map(value => 4 * value),
          ),
        ]),
        () => factor,
      )[0]
    expect(find(0.4, 1)?.strength).toBeGreaterThan(0.05)
    expect(find(0.4, 2)?.strength ?? 0).toBeLessThan(0.01)
    expect(find(0.95, 2)).toMatchObject({ expected: expect.closeTo(0.4, 1) })
    expect(find(0.95, 2)?.strength).toBeGreaterThan(0.4)
    // Memory is not used up by requests that are over.
    const heap = resourceShifts(
      keyed([series('a', [2e8, 2e8], 'process.memory.usage')]),
      keyed([
        series(
          'a',
          quiet.map(value => 2e9 * value),
          'process.memory.usage',
        ),
      ]),
      () => 2,
    )[0]
    expect(heap?.expected).toBe(heap?.before)
  })

  describe('of one processor by two metrics', () => {
    const loop = 'nodejs.eventloop.utilization'
    const unsteady = quiet.map((_, i) => (i % 3 === 0 ? 0.4 : 0.05))
    /** How much is made of a process that gets a little more processor, with its event loop so busy. */
    const strengthAt = (share: number, busy: number): number => {
      const before = keyed([series('a', quiet), series('a', unsteady, loop)])
      const now = [series('a', [share, share, share]), series('a', [busy, busy, busy], loop)]
      return Math.max(0, ...resourceShifts(keyed(now), before).map(shift => shift.strength))
    }

    it('takes from the steady one that it is, and from the unsteady one how much', () => {
      expect(strengthAt(0.2, 0.05)).toBeLessThan(0.15)
      expect(strengthAt(0.05, 0.95)).toBeLessThan(0.25)
      expect(strengthAt(0.2, 0.95)).toBeGreaterThan(0.5)
    })

    it('takes nothing from one that lies where it has been before', () => {
      expect(strengthAt(0.2, 0.4)).toBeCloseTo(strengthAt(0.2, 0.05), 6)
    })
  })

  it('cannot tell without a history', () => {
    expect(resourceShifts(keyed([series('a', [0.9, 0.9])]), keyed([series('a', [0.1])]))).toEqual([])
  })
})

describe('flowShifts', () => {
  const flow = (latency: number, failing: number, requests = 100) => ({
    requests: new Float64Array(6).fill(requests),
    latency: new Float64Array(6).fill(latency),
    failing: new Float64Array(6).fill(failing),
  })
  const edges = [
    { caller: 'web', callee: 'shop' },
    { caller: 'shop', callee: 'table' },
    { caller: 'shop', callee: 'cache' },
  ]
  const baseline = new Map([
    ['web', flow(0.1, 0)],
    ['shop', flow(0.05, 0)],
    ['table', flow(0.01, 0)],
    ['cache', flow(0.001, 0)],
    ['lonely', flow(0.01, 0)],
  ])

  it('leaves the extra seconds with the service whose callees do not explain them', () => {
    const window = new Map([
      ...baseline,
      ['web', flow(0.3, 0)],
      ['shop', flow(0.25, 0)],
      ['table', flow(0.21, 0)],
    ])
    const [first] = flowShifts({ window, baseline, edges, symptom: 'web' }, 'latency')
    expect(first?.service).toBe('table')
    expect(first?.share).toBeGreaterThan(0.9)
  })

  it('leaves failures with the service that adds them', () => {
    const window = new Map([...baseline, ['web', flow(0.1, 0.2)], ['shop', flow(0.05, 0.2)]])
    const [first] = flowShifts({ window, baseline, edges, symptom: 'web' }, 'errors')
    expect(first?.service).toBe('shop')
  })

  it('looks only where the symptom can come from', () => {
    const window = new Map([
      ...baseline,
      ['lonely', flow(9, 0)],
      ['web', flow(0.3, 0)],
      ['shop', flow(0.25, 0)],
    ])
    const found = flowShifts({ window, baseline, edges, symptom: 'web' }, 'latency')
    expect(found.map(shift => shift.service)).not.toContain('lonely')
    expect(found[0]?.service).toBe('shop')
  })

  it('does not blame the symptom for want of call edges', () => {
    const window = new Map([
      ...baseline,
      ['web', flow(0.3, 0)],
      ['shop', flow(0.25, 0)],
      ['table', flow(0.21, 0)],
    ])
    const found = flowShifts({ window, baseline, edges: [], symptom: 'web' }, 'latency')
    expect(found.map(shift => shift.service).sort()).toEqual(['shop', 'table', 'web'])
    for (const { share } of found) expect(share).toBeLessThan(0.5)
  })
})

describe('source sampling', () => {
  it('reads the adjusted count from the rejection threshold', () => {
    expect(weightOf('ot=th:8')).toBe(2)
    expect(weightOf('vendor=x,ot=rv:12;th:c')).toBe(4)
    expect(weightOf('ot=th:0')).toBe(1)
    expect(weightOf('vendor=th:8')).toBe(1)
    expect(weightOf('')).toBe(1)
  })

  it('finds the trace state of a span message and survives a cut one', () => {
    const message = Uint8Array.from([10, 2, 1, 2, 26, 4, 111, 116, 61, 120, 42, 1, 65])
    expect(traceStateOf(message)).toBe('ot=x')
    for (let length = 0; length < message.length; length++) {
      expect(traceStateOf(message.subarray(0, length)).length).toBeLessThanOrEqual(4)
    }
  })
})

describe('windows', () => {
  it('never compares a window with a part of itself', () => {
    const window = { fromMs: 1000, toMs: 2000 }
    expect(withoutOverlap({ fromMs: 500, toMs: 1500 }, window)).toEqual({ fromMs: 500, toMs: 1000 })
    expect(withoutOverlap({ fromMs: 1500, toMs: 2500 }, window)).toEqual({ fromMs: 2000, toMs: 2500 })
    expect(withoutOverlap({ fromMs: 5000, toMs: 6000 }, window)).toEqual({ fromMs: 5000, toMs: 6000 })
  })

  it('takes at least ten minutes and at most an hour before the window', () => {
    expect(defaultBaseline({ fromMs: 1e9, toMs: 1e9 + 1000 })).toEqual({ fromMs: 1e9 - 600_000, toMs: 1e9 })
    expect(defaultBaseline({ fromMs: 1e9, toMs: 1e9 + 86_400_000 }).fromMs).toBe(1e9 - 3_600_000)
  })

  it('counts rates over the times that were read and in which anything happened', () => {
    const parts = [
      { fromMs: 0, toMs: 1000 },
      { fromMs: 5000, toMs: 6000 },
    ]
    expect(activeMs([[100, 5100, 5900]], parts, 500)).toBe(1500)
    // Stretches wider than the parts count for no more than was read.
    expect(activeMs([[100, 5100]], parts, 4000)).toBe(2000)
    expect(activeMs([[100]], [{ fromMs: -60_000, toMs: 1000 }], 500)).toBe(500)
    expect(activeMs([[]], parts, 500)).toBe(0)
  })

  it('leaves out the rollup window in which the incident begins', () => {
    expect(beforeWholeWindow({ fromMs: 0, toMs: 123_456 })).toEqual({ fromMs: 0, toMs: 120_000 })
  })
})
