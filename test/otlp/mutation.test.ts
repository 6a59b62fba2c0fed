import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../src/errors.ts'
import { type Batch, type Signal, signals } from '../../src/model/telemetry.ts'
import { attributesOfResource } from '../../src/otlp/attributes.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { decodeRecord } from '../../src/otlp/decode-record.ts'
import { encodeRequest, requestJson } from '../../src/otlp/encode-request.ts'
import { collectorServices } from '../../src/otlp/fields/collector-fields.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { mutate, randomFrom } from './mutation.ts'
import { encodeReference } from './reference-types.ts'
import { messageOf } from './request-arbitrary.ts'
import { receivedMs } from './request-builder.ts'

const context = { receivedMs, attributeMaxBytes: 64 }

function samples(signal: Signal): readonly Uint8Array[] {
  const { name } = collectorServices[signal].request
  return fc.sample(messageOf(name), { numRuns: 12, seed: 11 }).map(plain => encodeReference(name, plain))
}

/** The result, or null if the input is refused as undecodable; anything else that is thrown is a defect. */
function attempt<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError)
    return null
  }
}

/** What was accepted must be readable to the bottom, and again after a round trip. */
function readEverything(batch: Batch): void {
  const { block, records } = batch
  for (let row = 0; row < block.count; row++) decodeRecord(block, records, row)
  for (const entry of block.resources) attributesOfResource(entry.bytes)
  requestJson({ block, records })
  const again = decodeBatch(block.signal, encodeRequest({ block, records }), {
    ...context,
    refused: new Uint32Array(0),
  })
  expect(again.block.count).toBe(block.count)
}

describe.each(signals)('damaged requests of %s', signal => {
  test('in protobuf are refused, or what is kept of them can be read', () => {
    const random = randomFrom(1)
    const valid = samples(signal)
    const outcomes = { refused: 0, kept: 0 }
    for (let round = 0; round < 4000; round++) {
      const bytes = mutate(valid[round % valid.length] ?? new Uint8Array(0), random)
      const batch = attempt(() => decodeBatch(signal, bytes, context))
      if (batch === null) outcomes.refused++
      else outcomes.kept++
      if (batch !== null) readEverything(batch)
    }
    expect(outcomes.refused).toBeGreaterThan(500)
    expect(outcomes.kept).toBeGreaterThan(200)
  })

  test('in JSON are refused, or what becomes of them can be decoded', () => {
    const random = randomFrom(2)
    const valid = samples(signal).map(bytes => {
      const batch = decodeBatch(signal, bytes, { receivedMs, attributeMaxBytes: 65_536 })
      return new TextEncoder().encode(requestJson({ block: batch.block, records: batch.records }))
    })
    const outcomes = { refused: 0, kept: 0 }
    for (let round = 0; round < 3000; round++) {
      const bytes = mutate(valid[round % valid.length] ?? new Uint8Array(0), random)
      const protobuf = attempt(() => transcodeJson(signal, bytes))
      if (protobuf === null) outcomes.refused++
      else {
        outcomes.kept++
        readEverything(decodeBatch(signal, protobuf, context))
      }
    }
    expect(outcomes.refused).toBeGreaterThan(300)
    expect(outcomes.kept).toBeGreaterThan(200)
  })
})
