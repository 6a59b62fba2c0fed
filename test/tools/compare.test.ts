import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logsOf, type SpanSpec, spansOf } from './otlp-json.ts'
import { hex, shopEndMs, shopFaultMs, shopStartMs } from './shop-telemetry.ts'
import {
  type Answer,
  type Request,
  rowsOf,
  startTelemetrySystem,
  type TelemetrySystem,
} from './telemetry-system.ts'

interface Release {
  readonly version: string
  readonly image: string
  readonly sdk: string
  readonly ms: number
  readonly queries: number
  readonly log: string
}

const old: Release = {
  version: '1.9.0',
  image: 'v19',
  sdk: '1.30.0',
  ms: 20,
  queries: 1,
  log: 'priced item 17',
}
const fresh: Release = {
  version: '2.0.0',
  image: 'v20',
  sdk: '2.1.0',
  ms: 60,
  queries: 6,
  log: 'repriced item 17 in cents',
}

/** Requests to `web`, which calls `prices`; of two releases in turn, or of one. */
function requests(fromMs: number, toMs: number, releases: readonly Release[], seed: number): Request[] {
  const found: Request[] = []
  let number = seed
  for (let startMs = fromMs; startMs < toMs; startMs += 5_000) {
    const release = releases[number % releases.length] ?? old
    const traceId = hex(++number, 32)
    const id = (part: number): string => hex(number * 16 + part, 16)
    const wobble = (number * 7) % 5
    const web: SpanSpec[] = [
      { traceId, spanId: id(0), name: 'GET /', startMs, durationMs: release.ms + wobble + 30 },
    ]
    const prices: SpanSpec[] = [
      {
        traceId,
        spanId: id(1),
        parentSpanId: id(0),
        name: 'GET /price',
        startMs: startMs + 10,
        durationMs: release.ms + wobble,
      },
      ...Array.from({ length: release.queries }, (_, at) => ({
        traceId,
        spanId: id(2 + at),
        parentSpanId: id(1),
        name: 'select price',
        kind: 3,
        startMs: startMs + 11 + at * 3,
        durationMs: 2,
        attributes: { 'peer.service': 'price-db' },
      })),
    ]
    const resource = {
      'service.version': release.version,
      'service.instance.id': `prices-${release.image}`,
      'container.image.name': 'shop/prices',
      'container.image.tags': release.image,
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': release.sdk,
    }
    const log = { timeMs: startMs + 12, traceId, spanId: id(1), body: release.log }
    found.push(
      {
        signal: 'traces',
        receivedMs: startMs + 1_000,
        json: { resourceSpans: [spansOf('web', web), spansOf('prices', prices, resource)] },
      },
      { signal: 'logs', receivedMs: startMs + 1_000, json: { resourceLogs: [logsOf('prices', [log])] } },
    )
  }
  return found
}

const range = (fromMs: number, toMs: number) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
})
const quarter = 15 * 60_000
/** One release, then both, then the other one alone. */
const before = range(shopStartMs, shopStartMs + quarter)
const canary = range(shopStartMs + quarter, shopFaultMs)
const after = range(shopFaultMs, shopFaultMs + quarter)
const baseline = { baseline_from: before.from, baseline_to: before.to }

function difference(
  answer: Answer,
  change: string,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  return rowsOf(answer, 'differences').find(row => row['change'] === change && row['name'] === name)
}

describe('compare_windows', () => {
  let system: TelemetrySystem
  beforeAll(() => {
    system = startTelemetrySystem(shopEndMs)
    system.publish([
      ...requests(shopStartMs, shopStartMs + quarter, [old], 0),
      ...requests(shopStartMs + quarter, shopFaultMs, [old, fresh], 1_000),
      ...requests(shopFaultMs, shopFaultMs + quarter, [fresh], 2_000),
    ])
  })
  afterAll(() => system.close())
  const ask = (args: object) => system.ask('compare_windows', { max_tokens: 6_000, ...args })

  const expectRelease = (answer: Answer): void => {
    const slower = difference(answer, 'slower', 'GET /price')
    expect(Number(slower?.['change_low'])).toBeGreaterThan(35)
    expect(Number(slower?.['change_high'])).toBeLessThan(45)
    expect(difference(answer, 'called_more_often', 'price-db')).toMatchObject({ before: 1, after: 6 })
    expect(rowsOf(answer, 'templates').map(row => row['change'])).toEqual(
      expect.arrayContaining(['new', 'gone']),
    )
  }

  it('tells two versions apart that serve in the same window', async () => {
    const answer = await ask({ service: 'prices', version: '2.0.0', ...canary })
    expect(answer.facts).toEqual({ version: '2.0.0', baseline_version: '1.9.0' })
    expect(answer.answer).toMatch(/^Version 2\.0\.0 of prices against 1\.9\.0 in the same window\./)
    expectRelease(answer)
    expect(rowsOf(answer, 'services')).toEqual([
      expect.objectContaining({ service: 'prices', requests: 90, requests_before: 90 }),
    ])
    expect(rowsOf(answer, 'attributes')).toContainEqual(
      expect.objectContaining({ key: 'container.image.tags', value: 'v20', before_pct: 0, after_pct: 100 }),
    )
    // The caller mixes both versions, so nothing of it differs.
    expect(rowsOf(answer, 'differences').every(row => row['service'] === 'prices')).toBe(true)
  })

  it('looks for the version before a release in the baseline', async () => {
    const answer = await ask({ service: 'prices', version: '2.0.0', ...after, ...baseline })
    expect(answer.answer).toMatch(/^Version 2\.0\.0 of prices against 1\.9\.0 in the baseline window\./)
    expectRelease(answer)
    expect(difference(answer, 'more_critical', '')).toMatchObject({ service: 'prices' })
  })

  it('names what changed around a release by what services say of themselves', async () => {
    const answer = await ask({ ...after, ...baseline })
    const changes = rowsOf(answer, 'changes').map(row => `${row['change']} ${row['service']} ${row['name']}`)
    expect(changes).toEqual([
      'new_version prices 2.0.0',
      'version_gone prices 1.9.0',
      'new_image prices shop/prices:v20',
      'image_gone prices shop/prices:v19',
      'new_instance prices prices-v20',
      'instance_gone prices prices-v19',
      'new_instrumentation prices opentelemetry nodejs 2.1.0',
      'instrumentation_gone prices opentelemetry nodejs 1.30.0',
    ])
    expect(difference(answer, 'called_more_often', 'price-db')).toMatchObject({ before: 1, after: 6 })
    expect(difference(answer, 'slower', 'GET /')).toBeDefined()
  })

  it('finds nothing between halves of a quiet time', async () => {
    const half = shopStartMs + quarter / 2
    const answer = await ask({
      ...range(half, shopStartMs + quarter),
      baseline_from: before.from,
      baseline_to: new Date(half).toISOString(),
    })
    expect(answer).toMatchObject({ status: 'healthy', answer: 'Nothing differs beyond chance.' })
  })

  it('refuses a version without a service, one that nobody has, and one that is alone', async () => {
    const alone = await ask({ version: '2.0.0', ...canary })
    expect(alone.error).toMatchObject({ code: 'missing_argument', field: 'service' })
    const unknown = await ask({ service: 'prices', version: '2.0.O', ...canary })
    expect(unknown.error).toMatchObject({ code: 'no_such_entity', field: 'version', did_you_mean: ['2.0.0'] })
    const single = await ask({
      service: 'prices',
      version: '1.9.0',
      ...range(shopStartMs + quarter / 2, shopStartMs + quarter),
      ...baseline,
    })
    expect(single.error).toMatchObject({ code: 'no_such_entity', field: 'baseline_version' })
  })
})
