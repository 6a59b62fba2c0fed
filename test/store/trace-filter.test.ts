import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/store/segment/bytes.ts'
import { TraceFilter, traceKey } from '../../src/store/segment/trace-filter.ts'
import { prefixOf, readTraceIndex, writeTraceIndex } from '../../src/store/segment/trace-index.ts'

function idOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.padStart(32, '0'), 'hex'))
}

function filterOf(ids: readonly Uint8Array[]): TraceFilter {
  const out = new ByteWriter(1024)
  writeTraceIndex(out, new Uint8Array(Buffer.concat(ids)), 'traces')
  return new TraceFilter(readTraceIndex(new ByteReader(out.done()).bytes))
}

/** Spread over all bits, the same in every run. */
function scattered(n: number): string {
  const word = (salt: number): string =>
    (Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(n + salt, 0x85ebca6b)) >>> 0 === 0
      ? '00000001'
      : ((Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(n + salt, 0x85ebca6b)) >>> 0).toString(16).padStart(8, '0')
  return [3, 5, 7, 11].map(word).join('')
}

describe.each<readonly [ids: string, idFor: (n: number) => string]>([
  ['random ids of 128 bits', scattered],
  ['random ids of 64 bits', n => scattered(n).slice(0, 16)],
  [
    'ids that begin with their time',
    n => `6931${(n >> 6).toString(16).padStart(4, '0')}${scattered(n).slice(8)}`,
  ],
])('the filter of %s', (_, idFor) => {
  const held = Array.from({ length: 2_000 }, (_, n) => idOf(idFor(n)))
  const filter = filterOf(held)

  it('lets every trace pass that the segment holds, by its id and by how it begins', () => {
    for (const id of held) {
      expect(filter.mayHold(traceKey(id))).toBe(true)
      expect(filter.mayHoldPrefix(prefixOf(id, 0))).toBe(true)
    }
  })

  it('stops nearly all others', () => {
    const others = Array.from({ length: 2_000 }, (_, n) => idOf(idFor(n + 50_000)))
    expect(others.filter(id => filter.mayHold(traceKey(id))).length).toBeLessThan(20)
  })
})
