/** OpenTelemetry's own exporters against the receivers: every transport, encoding, compression and signal. */

import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { sendEverything, transports } from '../e2e/sdk-telemetry.ts'
import { type NotedRequest, RunningReceivers } from './running-receivers.ts'

let receivers: RunningReceivers

beforeAll(async () => {
  receivers = await RunningReceivers.start()
})
afterAll(() => receivers.stop())

const variants = transports.flatMap(transport => [false, true].map(gzip => ({ transport, gzip })))

describe.each(variants)('the SDK over $transport, gzip $gzip', ({ transport, gzip }) => {
  it('exports all three signals, and every item is stored', async () => {
    const before = receivers.noted.length
    const target = { transport, gzip, otlpHttpUrl: receivers.otlpUrl, grpcAddress: receivers.grpcAddress }
    const sent = await sendEverything(target, 'sdk')
    const noted = receivers.noted.slice(before)
    for (const signal of signals) {
      const requests = noted.filter(request => request.signal === signal)
      expect(requests).toHaveLength(sent[signal].length)
      for (const request of requests) {
        expect(request.transport).toBe(transport === 'grpc' ? 'grpc' : 'http')
        expect(request.encoding).toBe(transport === 'http/json' ? 'json' : 'protobuf')
        expect(request.compression).toBe(gzip ? 'gzip' : 'none')
        const items = decodedItems(request)
        expect(items).toBeGreaterThan(0)
        expect(request.result).toMatchObject({ outcome: 'accepted', accepted: items, rejected: 0 })
      }
    }
  })
})

it('the SDK waits as long as it is told and sends the same batch again', async () => {
  const before = receivers.noted.length
  const refused = new Set<string>()
  receivers.answer = async request => {
    if (refused.has(request.signal)) return receivers.inbox.submit(request)
    refused.add(request.signal)
    return { outcome: 'retry', reason: 'store_fault', retryAfterMs: 300, message: 'later' }
  }
  const target = { gzip: false, otlpHttpUrl: receivers.otlpUrl, grpcAddress: receivers.grpcAddress }
  await sendEverything({ ...target, transport: 'http/protobuf' }, 'patient')
  receivers.answer = null
  for (const signal of signals) {
    const [first, second] = receivers.noted.slice(before).filter(request => request.signal === signal)
    expect(second?.body).toEqual(first?.body)
    expect(second?.result).toMatchObject({ outcome: 'accepted', rejected: 0, duplicate: false })
    expect((second?.receivedAtMs ?? 0) - (first?.receivedAtMs ?? 0)).toBeGreaterThanOrEqual(900)
  }
})

it('main port and OTLP port take the same', async () => {
  const before = receivers.noted.length
  const target = { gzip: false, otlpHttpUrl: receivers.httpUrl, grpcAddress: receivers.grpcAddress }
  await sendEverything({ ...target, transport: 'http/protobuf' }, 'main-port')
  expect(new Set(receivers.noted.slice(before).map(request => request.signal))).toEqual(new Set(signals))
})

function decodedItems(request: NotedRequest): number {
  const body = request.compression === 'gzip' ? gunzipSync(request.body) : request.body
  const bytes = request.encoding === 'json' ? transcodeJson(request.signal, body) : body
  return decodeBatch(request.signal, bytes, { receivedMs: request.receivedAtMs, attributeMaxBytes: 65_536 })
    .block.count
}
