import { describe, expect, it } from 'vitest'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { readSample, type Sample } from '../../../src/graph/diagnosis/sampling.ts'
import type { Deadline } from '../../../src/model/reader.ts'
import { MemoryReader } from './memory-reader.ts'
import { makeHistory, seeded } from './synthetic-system.ts'

const fromMs = Date.UTC(2026, 1, 1)
const range = { fromMs, toMs: fromMs + 60_000 }
const patient: Deadline = { signal: new AbortController().signal, check: () => undefined }
const requests = makeHistory({
  seed: 8,
  fromMs: fromMs - 20_000,
  toMs: range.toMs + 20_000,
  faultMs: range.toMs + 20_000,
  fault: { kind: 'none' },
  requestsPerSecond: 8,
})

function readerOf(order: (request: object, index: number) => number): MemoryReader {
  const reader = new MemoryReader(range.toMs + 30_000)
  const ordered = requests.traces
    .map((request, i) => ({ request, at: order(request, i) }))
    .sort((a, b) => a.at - b.at)
  for (const { request } of ordered) reader.add('traces', request)
  for (const request of requests.logs) reader.add('logs', request)
  return reader
}

interface LogRequest {
  readonly resourceLogs: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly value: { readonly stringValue: string } }[]
    }
  }[]
}
const logRequests = requests.logs as readonly LogRequest[] // made above

function allOf(service: string): LogRequest['resourceLogs'] {
  return logRequests
    .flatMap(({ resourceLogs }) => resourceLogs)
    .filter(({ resource }) => resource.attributes.some(({ value }) => value.stringValue === service))
}

/** Spans per trace id. */
function sizes({ set }: Sample): ReadonlyMap<string, number> {
  return new Map(set.traceIds.map((id, t) => [id, (set.first[t + 1] ?? 0) - (set.first[t] ?? 0)]))
}

/** Log records per trace id. */
function linesOf({ set, lines }: Sample): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { trace } of lines) {
    const id = set.traceIds[trace] ?? ''
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

describe('readSample', () => {
  it('reads the same whether spans lie in many small blocks or in one that reaches beyond the window', async () => {
    const apart = readerOf((_, i) => i)
    const together = new MemoryReader(range.toMs + 30_000)
    const all = requests.traces as readonly { readonly resourceSpans: readonly object[] }[] // made above
    together.add('traces', { resourceSpans: all.flatMap(({ resourceSpans }) => resourceSpans) })
    const whole = await readSample(apart, range, new Names(), patient)
    const budget = Math.round(whole.set.spans * 1.3)
    for (const reader of [apart, together]) {
      const sample = await readSample(reader, range, new Names(), patient, budget)
      expect(sizes(sample)).toEqual(sizes(whole))
    }
  })

  it('reads a window that fits the budget whole, and only traces that begin in it', async () => {
    const sample = await readSample(
      readerOf((_, i) => i),
      range,
      new Names(),
      patient,
    )
    expect(sample.share).toBe(1)
    expect(sample.set.traces).toBeGreaterThan(400)
    expect(sample.set.orphans).toBe(0)
    for (let t = 0; t < sample.set.traces; t++) {
      const startMs = sample.set.startMs[sample.set.first[t] ?? 0] ?? 0
      expect(startMs >= range.fromMs && startMs < range.toMs).toBe(true)
    }
    expect(sample.lines.length).toBeGreaterThan(1000)
  })

  it('takes whole traces from a window that does not fit, and no more than the budget', async () => {
    const whole = sizes(
      await readSample(
        readerOf((_, i) => i),
        range,
        new Names(),
        patient,
      ),
    )
    const sample = await readSample(
      readerOf((_, i) => i),
      range,
      new Names(),
      patient,
      600,
    )
    expect(sample.share).toBeLessThan(0.5)
    expect(sample.set.spans).toBeGreaterThan(150)
    expect(sample.set.spans).toBeLessThan(800)
    for (const [id, spans] of sizes(sample)) expect(spans).toBe(whole.get(id))
  })

  it('reads the log records around slices once, however the slices lie', async () => {
    const reader = readerOf((_, i) => i)
    const whole = linesOf(await readSample(reader, range, new Names(), patient))
    // Slices this wide lie closer to each other than what is read around them.
    for (const budget of [600, 2400]) {
      const sample = await readSample(reader, range, new Names(), patient, budget)
      const lines = linesOf(sample)
      expect(sample.share).toBeLessThan(1)
      expect(lines.size).toBeGreaterThan(20)
      for (const [id, count] of lines) expect([id, count]).toEqual([id, whole.get(id)])
    }
  })

  it('does not make traces fall silent where it stops reading log records', async () => {
    const reader = new MemoryReader(range.toMs + 30_000)
    for (const request of requests.traces) reader.add('traces', request)
    // One service sends all it wrote at once: of a later time its records are read, and no others.
    const first = allOf('gateway')
    reader.add('logs', { resourceLogs: first })
    for (const { resourceLogs } of logRequests) {
      reader.add('logs', { resourceLogs: resourceLogs.filter(one => !first.includes(one)) })
    }
    const whole = linesOf(await readSample(reader, range, new Names(), patient))
    const records = [...whole.values()].reduce((sum, count) => sum + count, 0)
    const cut = linesOf(await readSample(reader, range, new Names(), patient, 20_000, 0.7 * records))
    expect(cut.size).toBeGreaterThan(50)
    expect(cut.size).toBeLessThan(0.9 * whole.size)
    for (const [id, count] of cut) expect([id, count]).toEqual([id, whole.get(id)])
  })

  it('takes the same traces whatever the order of arrival', async () => {
    const first = await readSample(
      readerOf((_, i) => i),
      range,
      new Names(),
      patient,
      600,
    )
    const random = seeded(3)
    const second = await readSample(
      readerOf(() => random()),
      range,
      new Names(),
      patient,
      600,
    )
    expect(second.set.traceIds).toEqual(first.set.traceIds)
  })
})
