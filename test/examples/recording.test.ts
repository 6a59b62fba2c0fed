/** What is recorded from the shop, without starting it: the plan, the style of telemetry, the folders. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { SamplingDecision } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { findCases, readLabels, requestsIn } from '../../bench/incidents/cases.ts'
import { backing, services } from '../../examples/shop/orchestration/plan.ts'
import {
  isRecorded,
  writeBaseline,
  writeCase,
  writeLabels,
} from '../../examples/shop/recording/case-folder.ts'
import { startOtlpReceiver } from '../../examples/shop/recording/otlp-receiver.ts'
import { planRecording } from '../../examples/shop/recording/plan-recording.ts'
import { inStyle, styles } from '../../examples/shop/recording/telemetry-style.ts'
import { thresholdSampler } from '../../examples/shop/runtime/sampler.ts'

const plan = planRecording({ seed: '7', rounds: 2 })
const cases = plan.flatMap(session => session.cases)
const faults = cases.filter(each => each.places.length > 0)

describe('the plan', () => {
  it('has 120 faults and 60 windows without one, each by a name of its own', () => {
    expect(faults.length).toBeGreaterThanOrEqual(120)
    expect(cases.length - faults.length).toBeGreaterThanOrEqual(60)
    expect(new Set(cases.map(each => each.name)).size).toBe(cases.length)
  })

  it('is the same for the same seed and another for another', () => {
    const names = (seed: string) =>
      planRecording({ seed, rounds: 2 }).map(session => session.cases.map(each => each.name))
    expect(names('7')).toEqual(plan.map(session => session.cases.map(each => each.name)))
    expect(names('8')).not.toEqual(names('7'))
  })

  it('blames places that exist, every kind at several of them', () => {
    const known = new Set([...services.map(each => each.service), ...backing])
    expect(faults.flatMap(each => each.places).filter(place => !known.has(place))).toEqual([])
    for (const [kind, group] of Map.groupBy(faults, each => each.fault)) {
      expect([kind, new Set(group.map(each => each.places[0])).size > 2]).toEqual([kind, true])
    }
  })

  it('never splits a pair of fault and place, and gives neither half much more than the other', () => {
    for (const group of Map.groupBy(faults, each => each.group).values()) {
      expect(new Set(group.map(each => each.dataset)).size).toBe(1)
    }
    const develop = cases.filter(each => each.dataset === 'develop').length
    expect(develop / cases.length).toBeGreaterThan(0.35)
    expect(develop / cases.length).toBeLessThan(0.65)
  })

  it('asks nobody to see what only a silent service could tell', () => {
    const alone = plan.flatMap(({ style, cases: own }) =>
      own.filter(each => style.silent.includes(each.places[0] ?? '')).map(each => each.fault),
    )
    expect(
      alone.filter(fault => ['swallowed-exception', 'n-plus-one', 'memory-growth'].includes(fault)),
    ).toEqual([])
  })
})

describe('a style of telemetry', () => {
  const styleNamed = (name: string) => styles.find(style => style.name === name) ?? styles[0]
  const line = JSON.stringify({
    spans: [
      {
        name: 'GET',
        status: { code: 2 },
        attributes: [
          { key: 'http.response.status_code', value: { intValue: 500 } },
          { key: 'http.route', value: { stringValue: '/' } },
        ],
        events: [{ name: 'exception' }, { name: 'retry' }],
      },
    ],
  })

  it('without status codes leaves everything else', () => {
    expect(JSON.parse(inStyle(styleNamed('no-status'), 'traces', line))).toEqual({
      spans: [
        {
          name: 'GET',
          attributes: [{ key: 'http.route', value: { stringValue: '/' } }],
          events: [{ name: 'retry' }],
        },
      ],
    })
    expect(inStyle(styleNamed('complete'), 'traces', line)).toBe(line)
  })

  it('without logs drops logs alone', () => {
    expect(inStyle(styleNamed('no-logs'), 'logs', line)).toBe('')
    expect(inStyle(styleNamed('no-logs'), 'traces', line)).toBe(line)
  })
})

describe('the sampler', () => {
  const traceIds = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map(bytes => Buffer.from(bytes).toString('hex'))

  it('keeps a quarter by the threshold c, the traces whose last 56 bits reach it, and says so', () => {
    const sampler = thresholdSampler('c')
    fc.assert(
      fc.property(traceIds, traceId => {
        const { decision, traceState } = sampler.shouldSample(
          ROOT_CONTEXT,
          traceId,
          'GET',
          SpanKind.SERVER,
          {},
          [],
        )
        const kept = Number.parseInt(traceId.slice(18, 19), 16) >= 12
        expect(decision).toBe(kept ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD)
        expect(traceState?.serialize()).toBe(kept ? 'ot=th:c' : undefined)
      }),
    )
  })

  it('follows the parent, whatever the trace id', () => {
    const sampler = thresholdSampler('c')
    fc.assert(
      fc.property(traceIds, fc.boolean(), (traceId, sampled) => {
        const parent = { traceId, spanId: '00000000000000aa', traceFlags: sampled ? 1 : 0 }
        const within = trace.setSpanContext(context.active(), parent)
        const { decision } = sampler.shouldSample(within, traceId, 'GET', SpanKind.SERVER, {}, [])
        expect(decision).toBe(sampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD)
      }),
    )
  })
})

describe('the receiver', () => {
  it('hands on each request as one line, compressed or not, and answers as OTLP has it', async () => {
    const taken: (readonly [string, string])[] = []
    const receiver = await startOtlpReceiver((signal, line) => void taken.push([signal, line]))
    try {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${receiver.url}/v1/traces`, {
        method: 'POST',
        headers,
        body: '{\n"a":1}',
      })
      expect([response.status, await response.json()]).toEqual([200, {}])
      const zipped = await new Response(
        new Blob(['{"b":2}']).stream().pipeThrough(new CompressionStream('gzip')),
      ).arrayBuffer()
      await fetch(`${receiver.url}/v1/logs`, {
        method: 'POST',
        headers: { ...headers, 'content-encoding': 'gzip' },
        body: zipped,
      })
      const other = await fetch(`${receiver.url}/v1/profiles`, { method: 'POST', headers, body: '{}' })
      expect(other.status).toBe(404)
    } finally {
      await receiver.stop()
    }
    expect(taken).toEqual([
      ['traces', '{ "a":1}'],
      ['logs', '{"b":2}'],
    ])
  })
})

describe('a recorded case', () => {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-recording-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('is found by the bench with its windows, its baseline, its requests and its label', () => {
    const session = plan.find(each => each.cases.some(one => one.places.length === 2)) ?? plan[0]
    const planned = session?.cases.find(each => each.places.length === 2)
    if (session === undefined || planned === undefined) throw new Error('the plan has two faults at once')
    const lines = { traces: ['{"resourceSpans":[]}', '{}'], logs: [], metrics: ['{}'] }
    expect(isRecorded(directory, planned)).toBe(false)
    writeBaseline(directory, 'session-1', lines)
    writeCase(directory, {
      plan: planned,
      style: session.style,
      window: { fromMs: 1_700_000_100_500, toMs: 1_700_000_120_500 },
      baseline: { fromMs: 1_700_000_000_000, toMs: 1_700_000_042_000 },
      baselineName: 'session-1',
      lines,
      stalls: 0.01,
    })
    writeLabels(directory, plan)
    expect(isRecorded(directory, planned)).toBe(true)

    const [found, ...others] = findCases(directory, '')
    expect(others).toEqual([])
    expect(found).toMatchObject({
      name: planned.name,
      dataset: planned.dataset,
      window: { fromMs: 1_700_000_100_500, toMs: 1_700_000_120_500 },
      baseline: { fromMs: 1_700_000_000_000, toMs: 1_700_000_042_000 },
    })
    if (found === undefined) return
    expect(requestsIn(found.folder, 'traces')).toEqual(lines.traces)
    expect(requestsIn(found.baselineFolder, 'metrics')).toEqual(lines.metrics)
    const [service = '', second] = planned.places
    const label = readLabels([found]).get(planned.name)
    expect(label).toMatchObject({ service, fault: planned.fault })
    expect(label?.also).toContain(second)
  })
})
