/** Kept contexts make and read the frames that `node:zlib` does, whatever came before. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keepsContexts, packFrame, unpackFrame } from '../../src/model/zstd-context.ts'

const params = { [constants.ZSTD_c_compressionLevel]: 1 }
const contents = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 400 }),
  fc
    .tuple(fc.constantFrom('order shipped ', '\u0000', 'abcabd'), fc.integer({ min: 1, max: 4_000 }))
    .map(([text, times]) => new Uint8Array(Buffer.from(text.repeat(times)))),
)

function outcome(unpack: () => Uint8Array): Buffer | 'damaged' {
  try {
    return Buffer.from(unpack())
  } catch {
    return 'damaged'
  }
}

test('contexts are kept on this version of Node', () => {
  expect(keepsContexts()).toBe(true)
})

describe('a frame', () => {
  test('has the bytes that node:zlib gives it, and comes back', () => {
    fc.assert(
      fc.property(contents, content => {
        const frame = Buffer.from(packFrame(content))
        expect(frame.equals(zstdCompressSync(content, { params }))).toBe(true)
        expect(Buffer.compare(unpackFrame(frame, content.length), content)).toBe(0)
      }),
    )
  })

  test('of noise, of megabytes or of nothing comes back as well', () => {
    let state = 1
    const noise = Uint8Array.from({ length: 3_000_000 }, () => {
      state = Math.imul(state, 1_103_515_245) + 12_345
      return state >>> 23
    })
    for (const content of [noise, new Uint8Array(5_000_000), new Uint8Array()]) {
      const frame = Buffer.from(packFrame(content))
      expect(frame.equals(zstdCompressSync(content, { params }))).toBe(true)
      expect(Buffer.compare(unpackFrame(frame, content.length), content)).toBe(0)
    }
  })

  test('that is damaged, cut or of another size is told as node:zlib tells it, and spoils no later one', () => {
    const good = Buffer.from('the frame that comes after '.repeat(300))
    const sound = zstdCompressSync(good, { params })
    const told = new Set<boolean>()
    fc.assert(
      fc.property(
        contents,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('flip', 'cut', 'longer', 'shorter', 'twice'),
        (content, place, bits, kind) => {
          const frame = zstdCompressSync(content, { params })
          const at = place % frame.length
          if (kind === 'flip') frame[at] = (frame[at] ?? 0) ^ bits
          const given =
            kind === 'cut' ? frame.subarray(0, at) : kind === 'twice' ? Buffer.concat([frame, frame]) : frame
          const size = content.length + (kind === 'longer' ? bits : kind === 'shorter' ? -1 : 0)
          const found = outcome(() => unpackFrame(given, size))
          expect(found).toEqual(
            outcome(() => zstdDecompressSync(given, { maxOutputLength: Math.max(1, size) })),
          )
          told.add(found === 'damaged')
          expect(Buffer.compare(unpackFrame(sound, good.length), good)).toBe(0)
        },
      ),
      { numRuns: 600 },
    )
    expect(told.size).toBe(2)
  })
})
