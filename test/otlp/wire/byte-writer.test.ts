import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../../src/otlp/wire/byte-writer.ts'
import { readLength } from '../../../src/otlp/wire/varint.ts'

describe('endLength', () => {
  const sizes = [0, 1, 127, 128, 16_383, 16_384, 70_000]
  test.each(sizes.flatMap(size => [1, 2, 3].map(guess => [size, guess] as const)))(
    'puts the length of %i bytes before them although %i bytes were left for it',
    (size, guess) => {
      const content = Uint8Array.from({ length: size }, (_, i) => i & 0xff)
      const out = new ByteWriter(1)
      out.varint32(7)
      const start = out.beginLength(guess)
      out.raw(content)
      out.endLength(start, guess)
      out.varint32(9)
      const written = out.copy()
      const end = written.length - 1
      expect(readLength(written, 1, end)).toBe(size)
      expect(written.subarray(end - size, end)).toEqual(content)
      expect([written[0], written[end]]).toEqual([7, 9])
    },
  )
})
