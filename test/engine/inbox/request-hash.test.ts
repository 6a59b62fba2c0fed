import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IncomingRequest } from '../../../src/engine/inbox/intake.ts'
import { RequestHasher } from '../../../src/engine/inbox/request-hash.ts'

const secret = new Uint8Array(16).fill(9)

function request(changes: Partial<IncomingRequest> = {}): IncomingRequest {
  return {
    id: 1,
    signal: 'traces',
    encoding: 'protobuf',
    compression: 'none',
    body: new Uint8Array(),
    tenant: 'default',
    principal: 'loopback',
    peer: '127.0.0.1',
    receivedAtMs: 1,
    maxBytes: 1_000,
    ...changes,
  }
}

function hashOf(changes: Partial<IncomingRequest>, bytes: Uint8Array): string {
  return Buffer.from(new RequestHasher(secret).hash(request(changes), bytes)).toString('hex')
}

describe('the hash of a request', () => {
  it('is the same for the same bytes of the same sender, however it was compressed and whenever it came', () => {
    const bytes = createHmac('sha256', 'x').digest()
    const once = hashOf({}, bytes)
    expect(hashOf({ id: 2, receivedAtMs: 9, compression: 'gzip', maxBytes: 5 }, bytes)).toBe(once)
    expect(once).toHaveLength(32)
  })

  it('tells signals, encodings, tenants, principals and peers apart', () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const hashes = [
      {},
      { signal: 'logs' },
      { encoding: 'json' },
      { tenant: 'other' },
      { principal: 'other' },
      { peer: '127.0.0.2' },
    ] as const
    expect(new Set(hashes.map(changes => hashOf(changes, bytes))).size).toBe(hashes.length)
  })

  it('tells any two bodies apart, also where one continues the other', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        (a, b) => {
          expect(hashOf({}, Buffer.concat([a, b]))).not.toBe(hashOf({}, a))
          fc.pre(Buffer.compare(a, b) !== 0)
          expect(hashOf({}, a)).not.toBe(hashOf({}, b))
        },
      ),
    )
  })

  it('depends on the secret', () => {
    const bytes = Uint8Array.of(1)
    const other = new RequestHasher(new Uint8Array(16)).hash(request(), bytes)
    expect(Buffer.from(other).toString('hex')).not.toBe(hashOf({}, bytes))
  })
})
