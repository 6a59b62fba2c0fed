import { describe, expect, it } from 'vitest'
import { type Anomaly, findAnomalies } from '../../src/graph/anomalies.ts'
import { shopViews, type Traffic } from './shop-traffic.ts'
import { epochMs } from './telemetry-batches.ts'

function anomaliesOf(traffic: Traffic): Anomaly[] {
  const views = shopViews(traffic)
  return findAnomalies(views, { templates: views.cut.templates })
}

/** Seconds behind the start of the window. */
function onsetOf(anomaly: Anomaly | undefined): number {
  return ((anomaly?.onsetMs ?? Number.NaN) - epochMs) / 1000
}

const from = 200
const to = 400
const during = (second: number) => second >= from && second < to

describe('no anomaly is found', () => {
  it.each([1, 2, 3])('in steady traffic (seed %i)', seed => {
    expect(anomaliesOf({ seed })).toEqual([])
  })

  it('when traffic doubles', () => {
    expect(anomaliesOf({ requestsPerSecond: second => (during(second) ? 8 : 4) })).toEqual([])
  })

  it('when a service restarts without harm', () => {
    const payInstance = (second: number) => ({
      instance: 'pay-1',
      version: '1.0',
      process: second < from ? '100' : '101',
    })
    expect(
      anomaliesOf({ payInstance, payCpu: second => (second >= from && second < from + 10 ? 0.6 : 0.3) }),
    ).toEqual([])
  })

  it('when some requests have always failed', () => {
    expect(anomaliesOf({ payFails: second => second % 20 === 0 })).toEqual([])
  })

  it('without a baseline', () => {
    const { window } = shopViews({ payFails: during })
    expect(window.series('service')).not.toEqual([])
    expect(findAnomalies({ window, baseline: null })).toEqual([])
  })
})

describe('an anomaly has its true onset and end, within two windows', () => {
  it('when requests fail', () => {
    const found = anomaliesOf({ payFails: during }).filter(one => one.kind === 'errors')
    expect(found.map(one => `${one.of} ${one.service} ${one.name}`)).toEqual(
      [
        'edge web pay',
        'operation web POST /buy',
        'operation web pay',
        'service web ',
        'operation pay Charge',
        'service pay ',
      ].sort(
        (a, b) =>
          found.findIndex(one => `${one.of} ${one.service} ${one.name}` === a) -
          found.findIndex(one => `${one.of} ${one.service} ${one.name}` === b),
      ),
    )
    for (const one of found) {
      expect(Math.abs(onsetOf(one) - from)).toBeLessThanOrEqual(20)
      expect(Math.abs(((one.endMs ?? 0) - epochMs) / 1000 - to)).toBeLessThanOrEqual(20)
      expect([one.baselineValue, one.value, one.unit]).toEqual([0, 100, 'pct'])
      expect(one.strength).toBeGreaterThan(1)
    }
  })

  it('when a database without telemetry becomes slow', () => {
    const found = anomaliesOf({ databaseMs: second => (during(second) ? 120 : 20) })
    const edge = found.find(one => one.of === 'edge' && one.name === 'postgresql/shop')
    expect([edge?.kind, edge?.service, edge?.detail]).toEqual(['latency', 'pay', 'database'])
    expect(Math.abs(onsetOf(edge) - from)).toBeLessThanOrEqual(20)
    expect(edge?.value).toBeGreaterThan(100)
    expect(found.map(one => one.name)).not.toContain('GetCart')
  })

  it('when calls stop', () => {
    const found = anomaliesOf({ cartIsCalled: second => !during(second) })
    expect(found.map(one => `${one.kind} ${one.of} ${one.service} ${one.name}`).sort()).toEqual([
      'silence edge web cart',
    ])
    expect(Math.abs(onsetOf(found[0]) - from)).toBeLessThanOrEqual(20)
    expect([found[0]?.baselineValue, found[0]?.value]).toEqual([4, 0])
  })

  it('when requests from outside stop, at the entry point alone', () => {
    const found = anomaliesOf({ requestsPerSecond: second => (during(second) ? 0 : 4) })
    expect(found.map(one => `${one.kind} ${one.of} ${one.service}`)).toEqual(['silence service web'])
  })

  it('when an error template appears', () => {
    const found = anomaliesOf({
      payLogs: second => (during(second) ? `card gateway refused ${second}` : null),
    })
    expect(found.map(one => one.kind)).toEqual(['log_template'])
    expect(Math.abs(onsetOf(found[0]) - from)).toBeLessThanOrEqual(20)
  })

  it('when a resource is used up', () => {
    const found = anomaliesOf({ payCpu: second => (during(second) ? 0.9 : 0.3) })
    expect(found.map(one => [one.kind, one.name, one.detail, one.direction])).toEqual([
      ['metric', 'cpu', 'pay-1', 'up'],
    ])
    expect(Math.abs(onsetOf(found[0]) - from)).toBeLessThanOrEqual(20)
  })
})

describe('anomalies', () => {
  it('that last have no end', () => {
    const found = anomaliesOf({ payFails: second => second >= 300 })
    expect(found.filter(one => one.kind === 'errors').map(one => one.endMs)).toEqual(Array(6).fill(null))
  })

  it('are not compared across windows of different width', () => {
    const { window } = shopViews({})
    const { baseline } = shopViews({}, 60)
    expect(() => findAnomalies({ window, baseline })).toThrow(RangeError)
  })
})
