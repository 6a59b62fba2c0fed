import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRow, encodeRow, type InboxRow } from '../../../src/engine/inbox/inbox-row.ts'

const row: InboxRow = {
  position: 7,
  tenant: 'team-ä',
  signal: 'logs',
  receivedMs: 1_764_000_000_123,
  encoding: 'protobuf',
  compression: 'none',
  rawBytes: 12,
  items: 3,
  refusals: [{ index: 1, reason: 'no id' }],
  body: new TextEncoder().encode('twelve bytes'),
}

describe('a row of the inbox', () => {
  it('reads back what was written', () => {
    expect(decodeRow(encodeRow(row))).toEqual(row)
  })

  it('of format 1 is still read, and still checked', () => {
    const old = { ...encodeRow(row), format: 1, crc: 4060166891 }
    expect(decodeRow(old)).toEqual(row)
    expect(() => decodeRow({ ...old, items: 4 })).toThrow('inbox row 7 fails its checksum')
  })

  it('of a newer format is not guessed at', () => {
    expect(() => decodeRow({ ...encodeRow(row), format: 3 })).toThrow('has format 3')
  })

  it('fails its checksum whichever column or byte is damaged', () => {
    const stored = encodeRow(row)
    fc.assert(
      fc.property(fc.nat(row.body.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const body = Uint8Array.from(stored.body)
        body[at] = (body[at] ?? 0) ^ flip
        expect(() => decodeRow({ ...stored, body })).toThrow('fails its checksum')
      }),
    )
    const damaged = [
      { position: 8 },
      { format: 1 },
      { crc: stored.crc ^ 1 },
      { tenant: 'team-b' },
      { signal: 0 },
      { received_ms: 1 },
      { encoding: 1 },
      { compression: 1 },
      { raw_bytes: 13 },
      { items: 4 },
      { refusals: null },
    ]
    for (const change of damaged) {
      expect(() => decodeRow({ ...stored, ...change })).toThrow('fails its checksum')
    }
  })
})
