/** Segments as earlier versions wrote them are read as they were. The golden files hold their bytes. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Signal } from '../../src/model/telemetry.ts'
import { decodeBatch } from '../../src/otlp/decode-batch.ts'
import { checkPart } from '../../src/store/part.ts'
import { TermMatcher } from '../../src/store/search/term-matcher.ts'
import { fetchSegment, readTerms, readTraces } from '../../src/store/segment/read-segment.ts'
import { TermIndex } from '../../src/store/segment/term-index.ts'
import { TraceFilter, traceKey } from '../../src/store/segment/trace-filter.ts'
import { receivedMs } from './arbitrary-requests.ts'
import { factsOf } from './item-facts.ts'

interface Written {
  readonly signal: Signal
  /** Base64 of the requests, and of the parts of the segments they became. */
  readonly bodies: readonly string[]
  readonly segments: readonly Readonly<Record<string, string>>[]
}

const written = [2, 3].flatMap(version => {
  const file = new URL(`golden/format-${version}.json`, import.meta.url)
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as readonly Written[]
  return parsed.map(one => ({ ...one, version }))
})

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

describe.each(written)('format $version of $signal', ({ version, signal, bodies, segments }) => {
  const parts = segments.map(
    segment => new Map(Object.entries(segment).map(([name, text]) => [name, bytesOf(text)])),
  )

  it('gives back every column and every field', async () => {
    const before = bodies.flatMap(body => {
      const batch = decodeBatch(signal, bytesOf(body), { receivedMs, attributeMaxBytes: 65_536 })
      return factsOf(batch.block, batch.records)
    })
    const after: string[] = []
    for (const segment of parts) {
      for (const part of segment.values()) {
        checkPart(part)
        expect(part[0]).toBe(version)
      }
      const { columns, records } = await fetchSegment(async () => segment)
      after.push(...factsOf(columns.block, records))
    }
    expect(before.length).toBeGreaterThan(5)
    expect(after.sort()).toEqual(before.sort())
  })

  it('says which words and traces it holds', async () => {
    let asked = 0
    for (const segment of parts) {
      const { columns } = await fetchSegment(async () => segment)
      const { block } = columns
      if (signal === 'logs') {
        const terms = readTerms(segment)
        expect(terms).toBeInstanceOf(TermIndex)
        if (terms instanceof TermIndex) {
          terms.check()
          expect(terms.framesOf(new TermMatcher('nowhere'))).toBeNull()
        }
      }
      for (let row = 0; row < block.count; row++) {
        asked++
        if (block.signal === 'metrics') continue
        const id = block.traceId.subarray(row * 16, row * 16 + 16)
        if (id.some(byte => byte !== 0))
          expect(new TraceFilter(readTraces(segment)).mayHold(traceKey(id))).toBe(true)
      }
    }
    expect(asked).toBeGreaterThan(5)
  })
})
