import { describe, expect, it } from 'vitest'
import { LogTally } from '../../../src/graph/diagnosis/log-tally.ts'
import { messageLosses, unwatchedDestinations } from '../../../src/graph/diagnosis/message-losses.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import type { Sample } from '../../../src/graph/diagnosis/sampling.ts'
import { SelfDescriptions } from '../../../src/graph/resource-changes.ts'
import { blockOf, epochMs, type Line } from './log-blocks.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

const lengthMs = 60_000
const sentLine = 1
const takenLine = 2

interface Traffic {
  readonly messages: number
  /** Every so many of them is taken. */
  readonly takesEvery?: number
  /** What the consumer writes about a message it takes. */
  readonly line?: number
  /** The sender writes its line, and sends nothing. */
  readonly onlySays?: boolean
  /** The logs were not read to the end. */
  readonly cut?: boolean
}

/** Of senders and takers a sampler keeps one in seven each, and all of their logs. */
function sampleOf(traffic: Traffic, names: Names): Sample {
  const { messages, takesEvery = 1, line = takenLine, onlySays = false, cut = false } = traffic
  const spans: SpanSketch[] = []
  const written: Line[] = []
  const kept: { readonly trace: number; readonly template: number }[] = []
  for (let i = 0; i < messages; i++) {
    const atMs = 1_000 + Math.floor((i * (lengthMs - 4_000)) / messages)
    const [sending, taking] = [2 * i + 1, 2 * i + 2]
    written.push({ service: 'shop', atMs, trace: sending, template: sentLine })
    if (i % 7 === 0) {
      kept.push({ trace: sending, template: sentLine })
      const entry = { id: 1, trace: sending, service: 'shop', kind: 'server', at: [atMs, atMs + 9] } as const
      const send = {
        id: 2,
        parent: 1,
        trace: sending,
        service: 'shop',
        kind: 'producer',
        peer: 'mails',
      } as const
      spans.push(entry, ...(onlySays ? [] : [{ ...send, at: [atMs + 1, atMs + 3] as const }]))
    }
    if (i % takesEvery > 0) continue
    written.push({ service: 'mailer', atMs: atMs + 100, trace: taking, template: line })
    if (i % 7 !== 3 && i % 7 !== 4) continue
    kept.push({ trace: taking, template: line })
    const take = { id: 1, trace: taking, service: 'mailer', kind: 'consumer', peer: 'mails' } as const
    spans.push({ ...take, at: [atMs + 100, atMs + 120] })
  }
  const set = setOf(spans, names)
  const range = { fromMs: epochMs, toMs: epochMs + lengthMs }
  const tally = new LogTally(names, range)
  tally.add(blockOf(written))
  if (cut) tally.cutShort()
  const traces = new Map(set.traceIds.map((id, trace) => [Number.parseInt(id, 16), trace]))
  return {
    range,
    set,
    lines: kept.map(({ trace, template }) => {
      const row = traces.get(trace) ?? 0
      return { trace: row, entry: set.first[row] ?? 0, template, severity: 9, timeMs: epochMs }
    }),
    storedSpans: spans.length,
    logRecords: written.length,
    share: 1,
    parts: [range],
    kept: 1,
    described: new SelfDescriptions(),
    sampledAtSource: true,
    tally,
  }
}

/** Messages lost, and whether that is sure. */
function lost(now: Traffic): readonly { readonly lost: number; readonly sure: boolean }[] {
  const names = new Names()
  const losses = messageLosses(sampleOf(now, names), sampleOf({ messages: 140 }, names))
  return losses.map(({ lost: count, evidence }) => ({ lost: Math.round(count), sure: evidence > 8 }))
}

describe('messages of which a sampler hides most spans', () => {
  it('are counted by the lines that stand for one each', () => {
    expect(lost({ messages: 70, takesEvery: 2 })).toEqual([{ lost: 35, sure: true }])
    expect(lost({ messages: 70 })).toEqual([])
  })

  it('are watched, however few spans are left', () => {
    const unwatched = (cut: boolean): number => {
      const names = new Names()
      return unwatchedDestinations(sampleOf({ messages: 70, cut }, names), sampleOf({ messages: 140 }, names))
    }
    expect(unwatched(false)).toBe(0)
    expect(unwatched(true)).toBe(1)
  })

  it.each<[string, Traffic]>([
    ['their takers write another line now', { messages: 70, line: 9 }],
    ['their senders say so and send none', { messages: 70, takesEvery: 100, onlySays: true }],
    ['logs were read in part', { messages: 70, takesEvery: 2, cut: true }],
  ])('are not counted by lines where %s', (_, now) => {
    expect(lost(now).filter(({ sure }) => sure)).toEqual([])
  })
})
