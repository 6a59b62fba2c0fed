import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { batchOf, columnsOf, decodeAccepted, decodeReceived } from '../../src/engine/codec.ts'
import type { Signal } from '../../src/model/telemetry.ts'
import { logRequest, metricRequest, spanRequest } from './requests.ts'

const settings = { attributeMaxBytes: 65_536 }
const receivedMs = 1_700_000_000_000

function cloned<T>(value: T): T {
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(value)
  const received = receiveMessageOnPort(port2)
  port1.close()
  return received?.message
}

describe('columns handed from one thread to the other', () => {
  test.each<[string, Signal, Uint8Array]>([
    ['spans', 'traces', spanRequest({ seed: 1, spans: 40 })],
    ['spans, some of them refused', 'traces', spanRequest({ seed: 2, spans: 40, badFrom: 30 })],
    ['log records', 'logs', logRequest({ seed: 3, lines: 25 })],
    ['metric points', 'metrics', metricRequest({ seed: 1, points: 40 })],
  ])('are, of %s, what decoding what was accepted gives', (_, signal, bytes) => {
    const batch = decodeReceived(signal, bytes, receivedMs, settings)
    const refused = Uint32Array.from(batch.refusals, refusal => refusal.index)
    const columns = cloned(columnsOf(batch, bytes))
    expect(batch.block.count).toBeGreaterThan(20)
    expect(columns && batchOf(columns, bytes)).toEqual(
      decodeAccepted(signal, bytes, receivedMs, refused, settings),
    )
  })

  test.each<[string, Signal, Uint8Array, number]>([
    ['a handful of spans', 'traces', spanRequest({ seed: 1, spans: 3 }), 65_536],
    ['a handful of points', 'metrics', metricRequest({ seed: 1, points: 5 }), 65_536],
    ['records that were cut', 'traces', spanRequest({ seed: 1, spans: 40, service: 'x' }), 2],
  ])('are not made of %s', (_, signal, bytes, attributeMaxBytes) => {
    const batch = decodeReceived(signal, bytes, receivedMs, { attributeMaxBytes })
    expect(batch.block.count).toBeGreaterThan(0)
    expect(columnsOf(batch, bytes)).toBeNull()
  })
})
