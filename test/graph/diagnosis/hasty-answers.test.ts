import { describe, expect, it } from 'vitest'
import type { Diagnosis } from '../../../src/graph/diagnosis/diagnosis.ts'
import { ask, baseMs, endMs, faultMs } from './asking.ts'
import { MemoryReader } from './memory-reader.ts'
import { epochMs, requestOf, type SpanSketch } from './trace-json.ts'

/** How long the store takes, in a request of the window. */
type StoreMs = (request: number) => number

/** Every second a request for mail, which looks something up; a status and a log tell how it ended, if there are any. */
async function asked(
  storeMs: StoreMs,
  { telling = false, writing = false, skipping = false } = {},
): Promise<Diagnosis> {
  const sketches: SpanSketch[] = []
  for (let i = 0; i < 180; i++) {
    const at = baseMs + i * 1000 - epochMs
    const ms = at + epochMs < faultMs ? 30 + (i % 7) : storeMs(i)
    const of = { trace: i + 1, failed: telling && i === 3 }
    const id = i * 10
    sketches.push(
      { ...of, id: id + 1, service: 'front', name: 'GET /', kind: 'server', at: [at, at + ms + 20] },
      { ...of, id: id + 2, parent: id + 1, service: 'front', kind: 'client', at: [at + 8, at + ms + 14] },
      { ...of, id: id + 3, parent: id + 2, service: 'mail', kind: 'server', at: [at + 9, at + ms + 13] },
    )
    if (skipping && ms === 1) continue
    const query = { ...of, id: id + 4, parent: id + 3, service: 'mail', name: 'GET', peer: 'store' }
    sketches.push({ ...query, kind: 'client', at: [at + 10, at + 10 + ms] })
  }
  const reader = new MemoryReader(endMs + 1000)
  reader.add('traces', requestOf(sketches))
  if (writing) reader.add('logs', logsOf(sketches.filter(({ kind }) => kind === 'server')))
  return await ask(reader)
}

/** A line of each span. */
function logsOf(sketches: readonly SpanSketch[]): object {
  const id = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  return {
    resourceLogs: sketches.map(({ id: span, trace = 1, service, at }) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeLogs: [
        {
          logRecords: [
            {
              timeUnixNano: `${epochMs + at[0]}000000`,
              severityNumber: 9,
              body: { stringValue: 'done' },
              traceId: id(trace, 32),
              spanId: id(span, 16),
            },
          ],
        },
      ],
    })),
  }
}

describe('hasty answers', () => {
  it('keep a system from being called healthy, name who gives them, and accuse nobody', async () => {
    const { verdict, causes } = await asked(i => (i % 2 === 0 ? 1 : 30))
    expect(verdict).toBe('inconclusive')
    expect(causes[0]?.location).toMatchObject({ service: 'store', peer: true })
    expect(causes[0]?.features.map(({ name }) => name)).toEqual(['hasty_answers'])
    expect(causes[0]?.score).toBeLessThan(0.2)
  })

  it('do not count beside the skipped work that makes them so', async () => {
    const { causes } = await asked(i => (i % 2 === 0 ? 1 : 30), { skipping: true })
    expect(causes[0]?.location.service).toBe('mail')
    const features = causes[0]?.features.map(({ name }) => name)
    expect(features).toContain('skipped_work')
    expect(features).not.toContain('hasty_answers')
  })

  it.each([
    ['come a little sooner', () => 22, {}],
    ['are told of by a status', (i: number) => (i % 2 === 0 ? 1 : 30), { telling: true }],
    ['are told of by logs', (i: number) => (i % 2 === 0 ? 1 : 30), { writing: true }],
  ])('are none where answers %s', async (_, storeMs, how) => {
    expect((await asked(storeMs, how)).verdict).toBe('healthy')
  })
})
