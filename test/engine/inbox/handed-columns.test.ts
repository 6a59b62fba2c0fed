import { describe, expect, it } from 'vitest'
import { type BatchColumns, columnsOf, decodeReceived } from '../../../src/engine/codec.ts'
import {
  ColumnReceiver,
  ColumnSender,
  type HandedColumns,
  type Introduced,
  readHanded,
} from '../../../src/engine/inbox/handed-columns.ts'
import type { Signal } from '../../../src/model/telemetry.ts'
import { logRequest, metricRequest, spanRequest } from '../requests.ts'

interface Message {
  readonly memory: SharedArrayBuffer
  readonly introduced: Introduced
  readonly handed: readonly HandedColumns[]
}

function decoded(signal: Signal, bytes: Uint8Array): BatchColumns {
  const batch = decodeReceived(signal, bytes, 1_700_000_000_000, { attributeMaxBytes: 65_536 })
  const columns = columnsOf(batch, bytes)
  if (columns === null) throw new Error('the request is too small to be handed over')
  return columns
}

function send(sender: ColumnSender, batches: readonly BatchColumns[]): Message {
  const memory = new SharedArrayBuffer(batches.reduce((sum, columns) => sum + sender.bytesFor(columns), 8))
  let at = 8
  const handed = batches.map(columns => {
    const one = sender.write(columns, memory, at)
    at += sender.bytesFor(columns)
    return one
  })
  return { memory, introduced: structuredClone(sender.introduce()), handed }
}

function expectSame(read: BatchColumns, sent: BatchColumns): void {
  expect(read).toEqual(sent)
}

describe('handed columns', () => {
  const spans = decoded('traces', spanRequest({ seed: 1, spans: 40, service: 'cart' }))
  const refused = decoded('traces', spanRequest({ seed: 2, spans: 60, badFrom: 33, service: 'pay' }))
  const logs = decoded('logs', logRequest({ seed: 3, lines: 25 }))
  const points = decoded('metrics', metricRequest({ seed: 4, points: 70 }))

  it('are, on the other side, what was decoded, also where items were refused', () => {
    const message = send(new ColumnSender(), [spans, logs, points, refused])
    const known = new ColumnReceiver().accept(message.introduced)
    const sent = [spans, logs, points, refused]
    for (const [index, handed] of message.handed.entries()) {
      const columns = sent[index]
      if (columns === undefined) throw new Error('one too many')
      const { signal, count } = columns.block
      expectSame(readHanded(signal, count, handed, message.memory, known), columns)
    }
    expect(refused.block.count).toBe(33)
  })

  it('introduce every text and resource once', () => {
    const sender = new ColumnSender()
    const first = send(sender, [spans, spans])
    const second = send(sender, [spans, refused])
    expect(first.introduced.again).toBe(true)
    expect(first.introduced.resources.map(resource => resource.service)).toEqual(['cart'])
    expect(first.introduced.texts).toEqual(spans.block.strings)
    expect(second.introduced).toMatchObject({ again: false, scopes: [] })
    expect(second.introduced.resources.map(resource => resource.service)).toEqual(['pay'])
    expect(second.introduced.texts).not.toContain('')
  })

  it('of a message that waits stay readable when numbering has started again', () => {
    const sender = new ColumnSender()
    const receiver = new ColumnReceiver()
    const waiting = send(sender, [spans])
    const knownThen = receiver.accept(waiting.introduced)
    let seed = 100
    let introducedAgain = 0
    while (introducedAgain === 0) {
      const many = decoded('traces', spanRequest({ seed: seed++, spans: 1_000 }))
      const message = send(sender, [many])
      const known = receiver.accept(message.introduced)
      const [handed] = message.handed
      if (handed === undefined) throw new Error('nothing was handed')
      expectSame(readHanded('traces', 1_000, handed, message.memory, known), many)
      if (message.introduced.again) introducedAgain++
    }
    expect(seed).toBeGreaterThan(110)
    const [handed] = waiting.handed
    if (handed === undefined) throw new Error('nothing was handed')
    expectSame(readHanded('traces', spans.block.count, handed, waiting.memory, knownThen), spans)
  })

  it('that name what was never introduced are an error, not another text', () => {
    const message = send(new ColumnSender(), [spans])
    const [handed] = message.handed
    if (handed === undefined) throw new Error('nothing was handed')
    const nobody = { texts: [], resources: [], scopes: [], metrics: [] }
    expect(() => readHanded('traces', 40, handed, message.memory, nobody)).toThrow('never introduced')
  })
})
