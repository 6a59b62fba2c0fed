/** What comes out of a compressed body, at once, later and once more. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { DecompressionBudget, inflateAgain, inflateNow } from '../../../src/engine/inbox/decompression.ts'

const content = Buffer.from('a request of telemetry '.repeat(40))
const bodies = {
  none: content,
  gzip: gzipSync(content),
  zstd: zstdCompressSync(content),
} as const

describe.each(['none', 'gzip', 'zstd'] as const)('a body with compression %s', compression => {
  const body = bodies[compression]

  test('gives its content at once', () => {
    expect(Buffer.from(inflateNow(body, compression, 10_000) ?? [])).toEqual(content)
  })

  test('gives its content once more, as a plain array whose slices are copies', () => {
    const bytes = inflateAgain(body, compression, content.length)
    bytes.slice(0, 1)[0] = 0
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
    expect(Buffer.from(bytes)).toEqual(content)
  })
})

test.each(['gzip', 'zstd'] as const)(
  'what %s gives is a plain array, at once and later',
  async compression => {
    const now = inflateNow(bodies[compression], compression, 10_000)
    const later = await new DecompressionBudget(100_000).inflate(bodies[compression], compression, 10_000)
    expect(Object.getPrototypeOf(now)).toBe(Uint8Array.prototype)
    expect(Object.getPrototypeOf(later)).toBe(Uint8Array.prototype)
    expect(later).toEqual(now)
  },
)
