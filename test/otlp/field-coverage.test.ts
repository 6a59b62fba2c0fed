import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Signal, signals } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { encodeRequest, requestJson } from '../../src/otlp/encode-request.ts'
import { collectorServices } from '../../src/otlp/fields/collector-fields.ts'
import { requestShape } from '../../src/otlp/fields/message-shape.ts'
import { decodePlain } from '../../src/otlp/json/decode-plain.ts'
import { transcodeJson } from '../../src/otlp/json/transcode-json.ts'
import { decodeReference, encodeReference } from './reference-types.ts'
import { messageOf } from './request-arbitrary.ts'

const context = { receivedMs: 1_760_000_000_000, attributeMaxBytes: 65_536 }

const requestName = (signal: Signal): string => collectorServices[signal].request.name

type Plain = Record<string, unknown>

const asList = (value: unknown): readonly Plain[] => (Array.isArray(value) ? value : [])

/**
 * Every item with all it belongs to, as sorted lines: groups that say the same may be merged, which changes
 * neither an item nor what it belongs to.
 */
function flatten(request: Plain): readonly string[] {
  const lines: string[] = []
  const [groups] = Object.values(request)
  for (const group of asList(groups)) {
    const { scopeSpans, scopeLogs, scopeMetrics, ...resource } = group
    for (const scopeGroup of asList(scopeSpans ?? scopeLogs ?? scopeMetrics)) {
      const { spans, logRecords, metrics, ...scope } = scopeGroup
      const items = metrics === undefined ? asList(spans ?? logRecords) : asList(metrics).flatMap(pointsOf)
      for (const item of items) lines.push(line([resource, scope, item]))
    }
  }
  return lines.sort()
}

/** Each data point with its metric around it. */
function pointsOf(metric: Plain): readonly Plain[] {
  const [kind, data] = Object.entries(metric).find(([, value]) => hasPoints(value)) ?? ['', {}]
  if (!hasPoints(data)) return []
  const { dataPoints, ...rest } = data
  return dataPoints.map(point => ({ ...metric, [kind]: rest, point }))
}

function hasPoints(value: unknown): value is Plain & { readonly dataPoints: readonly Plain[] } {
  return typeof value === 'object' && value !== null && 'dataPoints' in value
}

/** JSON with sorted keys, and with NaN and the infinities, which plain JSON.stringify makes null. */
function line(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'number' && !Number.isFinite(item)) return String(item)
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

describe.each(signals)('a request of %s with every field set', signal => {
  const request = messageOf(requestName(signal))

  test.each([
    ['packed', true],
    ['one by one', false],
  ])('survives columns and records and comes back field by field (numbers %s)', (_, packed) => {
    fc.assert(
      fc.property(request, plain => {
        const sent = encodeReference(requestName(signal), plain, packed)
        const batch = decodeBatch(signal, sent, context)
        expect(batch.refusals).toEqual([])
        const back = encodeRequest({ block: batch.block, records: batch.records })
        const items = flatten(decodeReference(requestName(signal), sent))
        expect(items.length).toBeGreaterThan(0)
        expect(flatten(decodeReference(requestName(signal), back))).toEqual(items)
      }),
      { numRuns: 60, seed: 7 },
    )
  })

  test('comes back the same from OTLP/JSON', () => {
    fc.assert(
      fc.property(request, plain => {
        const sent = encodeReference(requestName(signal), plain)
        const batch = decodeBatch(signal, sent, context)
        const json = requestJson({ block: batch.block, records: batch.records })
        const back = transcodeJson(signal, new TextEncoder().encode(json))
        expect(flatten(decodeReference(requestName(signal), back))).toEqual(
          flatten(decodeReference(requestName(signal), sent)),
        )
      }),
      { numRuns: 60, seed: 8 },
    )
  })

  test('is the same plain object however often it goes through JSON', () => {
    fc.assert(
      fc.property(request, plain => {
        const sent = encodeReference(requestName(signal), plain)
        const object = decodePlain(requestShape(signal), sent)
        const again = transcodeJson(signal, new TextEncoder().encode(JSON.stringify(object)))
        expect(decodePlain(requestShape(signal), again)).toEqual(object)
      }),
      { numRuns: 40, seed: 9 },
    )
  })
})
