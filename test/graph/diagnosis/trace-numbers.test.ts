import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TraceNumbers } from '../../../src/graph/diagnosis/trace-numbers.ts'

describe('TraceNumbers', () => {
  it('numbers ids as they are met, and tells them in the order of their digits, whatever they have in common', () => {
    const byte = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)
    const id = fc.oneof(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(byte, { minLength: 16, maxLength: 16 }).map(bytes => Uint8Array.from(bytes)),
      fc.nat(3_000).map(number => new Uint8Array(Buffer.from(number.toString(16).padStart(32, '0'), 'hex'))),
    )
    fc.assert(
      fc.property(fc.array(id, { maxLength: 2_000, size: 'max' }), ids => {
        const bytes = Buffer.concat(ids)
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        const texts = ids.map(one => Buffer.from(one).toString('hex'))
        const distinct = [...new Set(texts)]
        const places = new Map(distinct.map((text, place) => [text, place]))
        const numbers = new TraceNumbers()
        expect(texts.map((_, row) => numbers.of(view, row))).toEqual(texts.map(text => places.get(text)))
        expect(numbers.size).toBe(distinct.length)
        expect(numbers.texts(numbers.sorted())).toEqual(distinct.toSorted())
      }),
      { seed: 3, numRuns: 30 },
    )
  })
})
