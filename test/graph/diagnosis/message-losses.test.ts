import { describe, expect, it } from 'vitest'
import { messageLosses, unwatchedDestinations } from '../../../src/graph/diagnosis/message-losses.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import type { Sample } from '../../../src/graph/diagnosis/sampling.ts'
import { SelfDescriptions } from '../../../src/graph/resource-changes.ts'
import { type SpanSketch, setOf } from './trace-json.ts'

/** Where the times of sketches begin. */
const epochMs = 1_700_000_000_000
const lengthMs = 60_000

interface Traffic {
  /** Messages sent, evenly over a minute. */
  readonly sent: number
  /** Every so many of them is taken, by a span of its own. */
  readonly takesEvery: number
  readonly workMs?: number
  /** Time before the first message that was read as well. */
  readonly emptyMs?: number
}

function sampleOf(
  { sent, takesEvery, workMs = 20, emptyMs = 0 }: Traffic,
  names: Names,
  sampledAtSource = false,
): Sample {
  const sketches = Array.from({ length: sent }, (_, i): readonly SpanSketch[] => {
    const at = 1_000 + Math.floor((i * (lengthMs - 2_000)) / sent)
    const send: SpanSketch = {
      id: 1,
      trace: 2 * i + 1,
      service: 'shop',
      kind: 'producer',
      at: [at, at + 2],
      peer: 'mails',
    }
    const take: SpanSketch = {
      id: 2,
      trace: 2 * i + 2,
      service: 'mailer',
      kind: 'consumer',
      at: [at + 100, at + 100 + workMs],
      peer: 'mails',
    }
    return i % takesEvery === 0 ? [send, take] : [send]
  }).flat()
  const range = { fromMs: epochMs - emptyMs, toMs: epochMs + lengthMs }
  return {
    range,
    set: setOf(sketches, names),
    lines: [],
    storedSpans: sketches.length,
    logRecords: 0,
    share: 1,
    parts: [range],
    kept: 1,
    described: new SelfDescriptions(),
    sampledAtSource,
    tally: null,
  }
}

function lossesOf(now: Traffic, before: Traffic, sampledAtSource = false) {
  const names = new Names()
  const losses = messageLosses(sampleOf(now, names, sampledAtSource), sampleOf(before, names))
  return losses.map(({ destination, consumer, evidence }) => ({
    destination: names.text(destination),
    consumer: names.text(consumer),
    sure: evidence > 8,
  }))
}

describe('messageLosses', () => {
  it('finds a destination whose messages are sent and taken no more', () => {
    expect(lossesOf({ sent: 60, takesEvery: 2 }, { sent: 60, takesEvery: 1 })).toEqual([
      { destination: 'mails', consumer: 'mailer', sure: true },
    ])
  })

  it('finds it beside a baseline that reaches back to where nothing was sent yet', () => {
    const before = { sent: 60, takesEvery: 1, emptyMs: 1_800_000 }
    expect(lossesOf({ sent: 60, takesEvery: 2 }, before)).toHaveLength(1)
  })

  it('says nothing while all are taken, at whatever rate, nor of what was never taken', () => {
    expect(lossesOf({ sent: 20, takesEvery: 1 }, { sent: 60, takesEvery: 1 })).toEqual([])
    expect(lossesOf({ sent: 60, takesEvery: 3 }, { sent: 60, takesEvery: 3 })).toEqual([])
  })

  it('calls it no loss when the consumer works more than before: it is behind', () => {
    const now = { sent: 120, takesEvery: 2, workMs: 400 }
    expect(lossesOf(now, { sent: 60, takesEvery: 1 })).toEqual([])
  })

  it('goes by the two counts where a sampler chose senders and takers apart, and needs more of them', () => {
    const sure = (sent: number) =>
      lossesOf({ sent, takesEvery: 2 }, { sent, takesEvery: 1 }, true).map(loss => loss.sure)
    expect(sure(60)).toEqual([false])
    expect(sure(400)).toEqual([true])
  })

  it('says nothing where the sampler keeps another share than before', () => {
    const names = new Names()
    const before = sampleOf({ sent: 400, takesEvery: 1 }, names, true)
    const now = sampleOf({ sent: 400, takesEvery: 2 }, names, true)
    const thinned = { ...now, set: { ...now.set, weight: now.set.weight.map(weight => 2 * weight) } }
    expect(messageLosses(now, before)).toHaveLength(1)
    expect(messageLosses(thinned, before)).toEqual([])
  })
})

describe('unwatchedDestinations', () => {
  const unwatched = (now: Traffic, before: Traffic, sampledAtSource: boolean): number => {
    const names = new Names()
    return unwatchedDestinations(sampleOf(now, names, sampledAtSource), sampleOf(before, names))
  }
  const usual: Traffic = { sent: 60, takesEvery: 1 }

  it('counts those of which a sampler left too few to miss half of the messages', () => {
    expect(unwatched({ sent: 15, takesEvery: 1 }, usual, true)).toBe(1)
    expect(unwatched({ sent: 15, takesEvery: 1 }, usual, false)).toBe(0)
    expect(unwatched({ sent: 0, takesEvery: 1 }, usual, false)).toBe(1)
  })

  it('counts none that many messages tell of, nor any whose messages never were seen to be taken', () => {
    expect(unwatched({ sent: 400, takesEvery: 1 }, { sent: 400, takesEvery: 1 }, true)).toBe(0)
    expect(unwatched({ sent: 15, takesEvery: 3 }, { sent: 60, takesEvery: 3 }, true)).toBe(0)
  })
})
