import { describe, expect, it } from 'vitest'
import { blastRadius } from '../../src/graph/blast-radius.ts'
import { listChanges } from '../../src/graph/changes.ts'
import { serviceHealth } from '../../src/graph/service-health.ts'
import { serviceMap } from '../../src/graph/service-map.ts'
import { shopViews } from './shop-traffic.ts'
import { epochMs } from './telemetry-batches.ts'

const during = (second: number) => second >= 200

describe('the service map', () => {
  const healthy = shopViews({})

  it('shows services, peers and calls with rates and latency', () => {
    const map = serviceMap(healthy)
    expect(map.services.map(one => [one.service, one.peer, one.entryPoint, one.health])).toEqual([
      ['cart', false, false, 'healthy'],
      ['pay', false, false, 'healthy'],
      ['postgresql/shop', true, false, 'healthy'],
      ['web', false, true, 'healthy'],
    ])
    const web = map.services.find(one => one.service === 'web')
    expect([web?.requests, web?.perS, web?.errorPct]).toEqual([1_920, 4, 0])
    expect(web?.p50Ms).toBeGreaterThan(35)
    expect(web?.p50Ms).toBeLessThan(45)
    expect(map.edges.map(edge => [edge.caller, edge.callee, edge.connection, edge.gapMsPerCall])).toEqual([
      ['pay', 'postgresql/shop', 'database', null],
      ['web', 'cart', 'rpc', 2],
      ['web', 'pay', 'rpc', 2],
    ])
  })

  it('says what fails, what is slow and what is silent', () => {
    const health = (views: ReturnType<typeof shopViews>) =>
      Object.fromEntries(serviceMap(views).services.map(one => [one.service, one.health]))
    expect(health(shopViews({ payFails: during }))).toMatchObject({
      pay: 'failing',
      web: 'failing',
      cart: 'healthy',
    })
    expect(health(shopViews({ databaseMs: second => (during(second) ? 90 : 20) }))).toMatchObject({
      'postgresql/shop': 'slow',
      cart: 'healthy',
    })
    expect(health(shopViews({ cartIsCalled: second => second < 0 }))).toMatchObject({ web: 'healthy' })
    expect(serviceMap(shopViews({ cartIsCalled: second => second < 0 })).silentEdges).toBe(1)
  })

  it('knows no health without a baseline', () => {
    const map = serviceMap({ window: healthy.window, baseline: null })
    expect(new Set(map.services.map(one => one.health))).toEqual(new Set(['unknown']))
  })

  it('can be narrowed to what is near a service', () => {
    const names = (depth: number) =>
      serviceMap(healthy, { focus: 'postgresql/shop', depth }).services.map(one => one.service)
    expect(names(1).sort()).toEqual(['pay', 'postgresql/shop'])
    expect(names(2).sort()).toEqual(['pay', 'postgresql/shop', 'web'])
    expect(names(3)).toHaveLength(4)
  })
})

describe('the blast radius', () => {
  it('goes up to the entry points, with the share of their requests', () => {
    const { window } = shopViews({ cartIsCalled: second => second % 2 === 0 })
    const radius = blastRadius(window, 'postgresql/shop')
    expect(radius.callers.map(one => [one.service, one.distance, one.entryPoint, one.exposedShare])).toEqual([
      ['postgresql/shop', 0, false, 1],
      ['pay', 1, false, 1],
      ['web', 2, true, 1],
    ])
    const cart = blastRadius(window, 'cart').callers.find(one => one.service === 'web')
    expect([cart?.exposedShare, cart?.exposedRequests]).toEqual([0.5, 960])
  })

  it('of an entry point is itself', () => {
    expect(blastRadius(shopViews({}).window, 'web').callers.map(one => one.service)).toEqual(['web'])
  })
})

describe('changes', () => {
  it('name a release, its instance and process with their time', () => {
    const views = shopViews({
      payInstance: second =>
        second < 205
          ? { instance: 'pay-1', version: '1.0', process: '100' }
          : { instance: 'pay-2', version: '1.1', process: '7' },
    })
    expect(
      listChanges(views).map(one => [one.kind, one.service, one.name, (one.atMs - epochMs) / 1000]),
    ).toEqual([
      ['new_version', 'pay', '1.1', 200],
      ['new_instance', 'pay', 'pay-2', 200],
    ])
  })

  it('tell a restart from a new instance', () => {
    const views = shopViews({
      payInstance: second => ({ instance: 'pay-1', version: '1.0', process: second < 300 ? '100' : '101' }),
    })
    expect(listChanges(views).map(one => [one.kind, one.service, one.name])).toEqual([
      ['restart', 'pay', 'pay-1'],
    ])
  })

  it('name what stopped, with when it was last seen', () => {
    const changes = listChanges(shopViews({ cartIsCalled: second => second < -50 }))
    expect(changes.map(one => [one.kind, one.service, one.name, (one.atMs - epochMs) / 1000])).toEqual([
      ['service_gone', 'cart', 'cart', -50],
      ['edge_gone', 'web', 'cart', -50],
      ['operation_gone', 'web', 'cart', -50],
    ])
  })

  it('name a new template with its pattern', () => {
    const views = shopViews({ payLogs: second => (second >= 100 ? `card gateway refused ${second}` : null) })
    const changes = listChanges(views, { templates: views.cut.templates })
    expect(changes.map(one => [one.kind, one.service, one.text])).toEqual([
      ['new_template', 'pay', 'card gateway refused <*>'],
    ])
  })

  it('are none in steady traffic', () => {
    const views = shopViews({})
    expect(views.window.series('instance')).not.toEqual([])
    expect(listChanges(views)).toEqual([])
  })
})

describe('the health of a service', () => {
  it('gathers what is known of it against its baseline', () => {
    const views = shopViews({
      payFails: during,
      payCpu: second => (during(second) ? 0.9 : 0.3),
      payLogs: second => (during(second) ? `refused ${second}` : null),
    })
    const health = serviceHealth(views, 'pay', { templates: views.cut.templates })
    expect(health?.health).toBe('failing')
    expect(health?.requests.errorPct).toBeCloseTo(58.3, 1)
    expect(health?.baseline?.errorPct).toBe(0)
    expect(health?.operations.map(one => [one.operation, one.health])).toEqual([
      ['Charge', 'failing'],
      ['INSERT', 'healthy'],
    ])
    expect(health?.callers.map(edge => edge.caller)).toEqual(['web'])
    expect(health?.callees.map(edge => edge.callee)).toEqual(['postgresql/shop'])
    expect(health?.metrics[0]?.metric).toBe('cpu')
    expect(health?.metrics[0]?.deviations).toBeGreaterThan(5)
    expect(health?.templates.map(one => [one.pattern, one.count, one.expectedCount])).toEqual([
      ['refused <*>', 280, 0],
    ])
    expect(new Set(health?.anomalies.map(one => one.kind))).toEqual(
      new Set(['errors', 'metric', 'log_template']),
    )
  })

  it('is not there for a name nobody has heard of', () => {
    expect(serviceHealth(shopViews({}), 'nobody')).toBeNull()
  })
})
