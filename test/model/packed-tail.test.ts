import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packPublication, unpackPublication } from '../../src/model/packed-tail.ts'
import type { TailEntry, TailMessage, TailPublication } from '../../src/model/tail.ts'
import { signals } from '../../src/model/telemetry.ts'

const memories = [new SharedArrayBuffer(64), new SharedArrayBuffer(64)] as const
for (const [number, memory] of memories.entries()) new Uint8Array(memory).fill(number + 1)

const words = fc.array(fc.nat(0xffffffff), { maxLength: 4 }).map(list => Uint32Array.from(list))
const index = fc.record({
  count: fc.nat(100),
  minTimeMs: fc.double({ noNaN: true }),
  maxTimeMs: fc.double({ noNaN: true }),
  traces: fc.option(words),
})
const entry: fc.Arbitrary<TailEntry> = fc
  .record({
    position: fc.nat(),
    tenant: fc.string(),
    signal: fc.constantFrom(...signals),
    receivedMs: fc.nat(),
    memory: fc.constantFrom(...memories),
    from: fc.nat(32),
    length: fc.nat(32),
    refused: words,
    templates: fc.option(words),
    index: fc.option(index),
  })
  .map(({ memory, from, length, index, ...rest }) => ({
    ...rest,
    bytes: new Uint8Array(memory, from, length),
    ...(index === null ? {} : { index }),
  }))

function publicationOf(entries: readonly TailEntry[]): TailPublication {
  const ranges = { from: 1, to: 9, timeMs: 5, rollupsFrom: 1, rollups: [], templates: [] }
  return { type: 'publication', inboxId: 'one', ...ranges, entries }
}

describe('a publication that crossed packed', () => {
  it('says of every entry what it said before', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), entries => {
        const crossed: TailMessage = structuredClone(packPublication(publicationOf(entries)))
        if (crossed.type !== 'packed') throw new Error('it crosses packed')
        expect(unpackPublication(crossed).entries).toEqual(entries)
      }),
    )
  })

  it('gives the same objects whenever it is asked, in the memory that was sent', () => {
    const bytes = new Uint8Array(memories[0], 8, 8)
    const one = { position: 1, tenant: 'a', signal: 'logs', receivedMs: 2, bytes } as const
    const packed = packPublication(publicationOf([{ ...one, refused: new Uint32Array(0), templates: null }]))
    const publication = unpackPublication(packed)
    expect(publication.entries[0]).toBe(publication.entries[0])
    expect(publication.entries[0]?.bytes.buffer).toBe(memories[0])
  })
})
