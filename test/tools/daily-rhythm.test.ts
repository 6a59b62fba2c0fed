/** Systems that are busier and slower every morning, with days of history, through store, readers and tools. */
import { afterEach, describe, expect, it } from 'vitest'
import { random } from '../graph/seeded-random.ts'
import { ns, resourceOf, type SpanSpec, spansOf } from './otlp-json.ts'
import { rowsOf, startTelemetrySystem, type TelemetrySystem } from './telemetry-system.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Seven in the morning of the last day; everything is from seven to nine. */
const sevenMs = Date.UTC(2026, 4, 7, 7)
const eightMs = sevenMs + hourMs

interface Morning {
  /** Of the last day: 0, 1 for yesterday. */
  readonly daysBefore: number
  /** From eight on: how many times as slow as before, and as many requests. */
  readonly slower: number
  readonly busier?: number
  /** Milliseconds that the day is late. */
  readonly lateMs?: number
}

const running: TelemetrySystem[] = []
afterEach(async () => {
  for (const system of running.splice(0)) await system.close()
})

async function systemWith(mornings: readonly Morning[]): Promise<TelemetrySystem> {
  const system = startTelemetrySystem(sevenMs + 2 * hourMs)
  running.push(system)
  for (const morning of [...mornings].sort((a, b) => b.daysBefore - a.daysBefore)) publish(system, morning)
  await system.seal()
  return system
}

function cpuOf(service: string, dataPoints: readonly object[]): object {
  const metrics = [{ name: 'process.cpu.utilization', unit: '1', gauge: { dataPoints } }]
  return { resource: resourceOf(service), scopeMetrics: [{ metrics }] }
}

function publish(system: TelemetrySystem, { daysBefore, slower, busier = 2, lateMs = 0 }: Morning): void {
  const uniform = random(100 + daysBefore)
  const startMs = sevenMs - daysBefore * dayMs + lateMs
  const spans: SpanSpec[] = []
  const points: object[] = []
  for (let atMs = 0; atMs < 2 * hourMs; atMs += 4_000) {
    const factor = atMs < hourMs ? 1 : slower
    for (let i = 0; i < (atMs < hourMs ? 2 : 2 * busier); i++) {
      const id = spans.length + 1 + daysBefore * 1_000_000
      spans.push({
        traceId: id.toString(16).padStart(32, '0'),
        spanId: id.toString(16).padStart(16, '0'),
        name: 'GET /search',
        startMs: startMs + atMs + Math.floor(uniform() * 3_900),
        durationMs: factor * 100 * (1 + 0.3 * uniform()),
      })
    }
    points.push({ timeUnixNano: ns(startMs + atMs), asDouble: factor * (0.2 + 0.02 * uniform()) })
  }
  const receivedMs = startMs + 2 * hourMs
  system.publish([
    { signal: 'traces', receivedMs, json: { resourceSpans: [spansOf('search', spans)] } },
    { signal: 'metrics', receivedMs, json: { resourceMetrics: [cpuOf('search', points)] } },
  ])
}

const time = (ms: number): string => new Date(ms).toISOString()
const morningOf = { from: time(eightMs), to: time(eightMs + hourMs) }

const days = (many: number, slower: number): readonly Morning[] =>
  Array.from({ length: many }, (_, i) => ({ daysBefore: i + 1, slower }))

async function kindsFound(system: TelemetrySystem, args: object = morningOf): Promise<readonly string[]> {
  const answer = await system.ask('get_anomaly_timeline', args)
  if (answer.tables?.['anomalies'] === undefined) return []
  return [...new Set(rowsOf(answer, 'anomalies').map(row => String(row['kind'])))].sort()
}

describe('a service that doubles its latency and its requests every morning', () => {
  it('is abnormal on the first morning, of which nobody knows that others follow', async () => {
    expect(await kindsFound(await systemWith([{ daysBefore: 0, slower: 2 }]))).toEqual(['latency', 'metric'])
  })

  it('is abnormal on the second morning: one other day is no habit', async () => {
    const system = await systemWith([...days(1, 2), { daysBefore: 0, slower: 2 }])
    expect(await kindsFound(system)).toEqual(['latency', 'metric'])
  })

  it('raises nothing once some days have shown it, and the answer says so', async () => {
    const system = await systemWith([...days(3, 2), { daysBefore: 0, slower: 2 }])
    const answer = await system.ask('get_anomaly_timeline', morningOf)
    expect(answer.tables?.['anomalies']).toBeUndefined()
    expect(answer.status).toBe('healthy')
    expect(answer.json).toMatch(/left out: \d+ that other days show at this time too/)
    const health = await system.ask('get_service_health', { service: 'search', ...morningOf })
    expect(health.tables?.['anomalies']).toBeUndefined()
  })

  it('raises nothing when it starts twenty minutes late', async () => {
    const late = { daysBefore: 0, slower: 2, lateMs: 20 * 60_000 }
    const system = await systemWith([...days(3, 2), late])
    const from = eightMs + late.lateMs
    expect(await kindsFound(system, { from: time(from), to: time(from + hourMs) })).toEqual([])
  })

  it('is abnormal on a morning on which it is four times as slow', async () => {
    const system = await systemWith([...days(3, 2), { daysBefore: 0, slower: 4 }])
    expect(await kindsFound(system)).toEqual(['latency', 'metric'])
  })

  it('knows a weekly habit from the same day of the week before and one more', async () => {
    const weekend = [1, 2].map(daysBefore => ({ daysBefore, slower: 1, busier: 1 }))
    const working = [3, 7].map(daysBefore => ({ daysBefore, slower: 2 }))
    const system = await systemWith([...weekend, ...working, { daysBefore: 0, slower: 2 }])
    expect(await kindsFound(system)).toEqual([])
  })
})

describe('an investigation of a service that is twice as slow every morning', () => {
  const firstOf = async (mornings: readonly Morning[]): Promise<readonly [unknown, unknown]> => {
    const answer = await (await systemWith(mornings)).ask('investigate', morningOf)
    const causes = answer.tables?.['causes'] === undefined ? [] : rowsOf(answer, 'causes')
    return [answer.facts?.['verdict'], causes[0]?.['service']]
  }

  it('names it on the first morning, and on one on which it is four times as slow', async () => {
    expect(await firstOf([{ daysBefore: 0, slower: 2 }])).toEqual(['likely', 'search'])
    const [verdict, service] = await firstOf([...days(3, 2), { daysBefore: 0, slower: 4 }])
    expect(service).toBe('search')
    expect(verdict).not.toBe('healthy')
  })

  it('calls it healthy once some days have shown it', async () => {
    expect(await firstOf([...days(3, 2), { daysBefore: 0, slower: 2 }])).toEqual(['healthy', undefined])
  })
})

describe('a level that had shifted before the window', () => {
  it('has its onset where it shifted, not at the edge of the question', async () => {
    const system = await systemWith([{ daysBefore: 0, slower: 3 }])
    const from = eightMs + 10 * 60_000
    const answer = await system.ask('get_anomaly_timeline', { from: time(from), to: time(from + hourMs / 4) })
    const latency = rowsOf(answer, 'anomalies').filter(row => row['kind'] === 'latency')
    expect(latency.length).toBeGreaterThan(0)
    for (const row of latency) {
      expect(Math.abs(Date.parse(String(row['onset'])) - eightMs)).toBeLessThanOrEqual(20_000)
    }
  })

  it('is what is normal once most of the baseline shows it', async () => {
    const system = await systemWith([{ daysBefore: 0, slower: 3 }])
    const from = eightMs + 40 * 60_000
    expect(await kindsFound(system, { from: time(from), to: time(from + 10 * 60_000) })).toEqual([])
  })
})
