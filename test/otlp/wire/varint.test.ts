import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../../src/errors.ts'
import { ByteWriter } from '../../../src/otlp/wire/byte-writer.ts'
import { cursor, readLength, readTag, readVarint, skipValue } from '../../../src/otlp/wire/varint.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** The varint, in full, and how many bytes it took. */
function read(input: Uint8Array, end = input.length): { readonly value: bigint; readonly next: number } {
  const low = readVarint(input, 0, end)
  return { value: (BigInt(cursor.high) << 32n) | BigInt(low), next: cursor.next }
}

describe('readVarint', () => {
  test.each([
    ['zero', bytes(0), 0n],
    ['127, the largest of one byte', bytes(0x7f), 127n],
    ['128, the smallest of two bytes', bytes(0x80, 0x01), 128n],
    ['16383, the largest of two bytes', bytes(0xff, 0x7f), 16_383n],
    ['2^28, the smallest of five bytes', bytes(0x80, 0x80, 0x80, 0x80, 0x01), 2n ** 28n],
    ['2^32 - 1', bytes(0xff, 0xff, 0xff, 0xff, 0x0f), 2n ** 32n - 1n],
    ['2^32', bytes(0x80, 0x80, 0x80, 0x80, 0x10), 2n ** 32n],
    ['2^35 - 1, the largest of five bytes', bytes(0xff, 0xff, 0xff, 0xff, 0x7f), 2n ** 35n - 1n],
    ['2^63', bytes(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 2n ** 63n],
    ['2^64 - 1, ten bytes', bytes(255, 255, 255, 255, 255, 255, 255, 255, 255, 1), 2n ** 64n - 1n],
    ['zero in two bytes, overlong but legal', bytes(0x80, 0x00), 0n],
    ['one in ten bytes, overlong but legal', bytes(0x81, 128, 128, 128, 128, 128, 128, 128, 128, 0), 1n],
  ])('reads %s', (_, input, value) => {
    expect(read(input)).toEqual({ value, next: input.length })
  })

  test.each([
    ['nothing', bytes()],
    ['a continuation and no end', bytes(0x80)],
    ['four continuations and no end', bytes(128, 128, 128, 128)],
    ['nine continuations and no end', bytes(128, 128, 128, 128, 128, 128, 128, 128, 128)],
    ['65 bits', bytes(255, 255, 255, 255, 255, 255, 255, 255, 255, 2)],
    ['eleven bytes', bytes(128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0)],
  ])('rejects %s', (_, input) => {
    expect(() => read(input)).toThrow(InvalidInputError)
  })

  test('does not read past the end it is given, even when the buffer goes on', () => {
    expect(() => read(bytes(0x80, 0x01), 1)).toThrow('truncated varint at byte 1')
  })

  test('reads back what the writer wrote, for every 64-bit number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), value => {
        const out = new ByteWriter(1)
        out.varint64(Number(value & 0xffffffffn), Number(value >> 32n))
        expect(read(out.copy())).toEqual({ value, next: out.length })
      }),
    )
  })
})

describe('readTag', () => {
  test('reads the largest field number', () => {
    expect(readTag(bytes(0xf8, 0xff, 0xff, 0xff, 0x0f), 0, 5) >>> 3).toBe(2 ** 29 - 1)
  })

  test.each([
    ['field number 0', bytes(0x02)],
    ['a number of more than 29 bits', bytes(0x80, 0x80, 0x80, 0x80, 0x10)],
  ])('rejects %s', (_, input) => {
    expect(() => readTag(input, 0, input.length)).toThrow('invalid field number at byte 0')
  })
})

describe('readLength', () => {
  test('accepts a length that ends exactly at the end', () => {
    expect(readLength(bytes(2, 9, 9), 0, 3)).toBe(2)
  })

  test.each([
    ['one byte too long', bytes(3, 9, 9)],
    ['2^31, negative in 32 bits', bytes(0x80, 0x80, 0x80, 0x80, 0x08)],
    ['2^32, zero in 32 bits', bytes(0x80, 0x80, 0x80, 0x80, 0x10)],
    ['2^64 - 1', bytes(255, 255, 255, 255, 255, 255, 255, 255, 255, 1)],
  ])('rejects a length %s', (_, input) => {
    expect(() => readLength(input, 0, input.length)).toThrow('length beyond the end at byte 0')
  })
})

describe('skipValue', () => {
  test.each([
    ['a varint', 0, bytes(0x80, 0x01), 2],
    ['eight bytes', 1, new Uint8Array(8), 8],
    ['a length and its content', 2, bytes(1, 7), 2],
    ['four bytes', 5, new Uint8Array(4), 4],
  ])('steps over %s', (_, wireType, input, next) => {
    expect(skipValue(input, 0, input.length, wireType)).toBe(next)
  })

  test.each([
    ['seven of eight bytes', 1, new Uint8Array(7)],
    ['three of four bytes', 5, new Uint8Array(3)],
    ['a length beyond the end', 2, bytes(2, 7)],
    ['the start of a group', 3, bytes(0)],
    ['the end of a group', 4, bytes(0)],
    ['wire type 6', 6, bytes(0)],
    ['wire type 7', 7, bytes(0)],
  ])('rejects %s', (_, wireType, input) => {
    expect(() => skipValue(input, 0, input.length, wireType)).toThrow(InvalidInputError)
  })
})
