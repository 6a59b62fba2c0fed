import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteTable } from '../../../src/otlp/wire/byte-table.ts'
import { TextInterner, utf8Source } from '../../../src/otlp/wire/interner.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('TextInterner', () => {
  test('numbers the texts of every batch in order of appearance, whatever earlier batches held', () => {
    const interner = new TextInterner(utf8Source({ entries: 8, arenaBytes: 64 }))
    const batch = fc.array(fc.string({ maxLength: 10, unit: 'binary' }), { maxLength: 40 })
    fc.assert(
      fc.property(batch, texts => {
        interner.begin()
        const numbers = texts.map(text => interner.number(encode(text), 0, encode(text).length))
        expect(interner.strings).toEqual([...new Set(['', ...texts])])
        expect(numbers.map(number => interner.strings[number])).toEqual(texts)
      }),
      { seed: 3 },
    )
  })

  test('gives a text one number whether it came as bytes or as text', () => {
    const interner = new TextInterner()
    interner.begin()
    expect(interner.numberOfText('kafka')).toBe(interner.number(encode('kafka'), 0, 5))
  })

  test('turns invalid UTF-8 into replacement characters', () => {
    const interner = new TextInterner()
    interner.begin()
    const number = interner.number(Uint8Array.of(0x61, 0xff, 0x62), 0, 3)
    expect(interner.strings[number]).toBe('a\ufffdb')
  })
})

describe('ByteTable', () => {
  test('holds as many bytes as its limit says, and finds all of them', () => {
    const table = new ByteTable({ entries: 4096, arenaBytes: 500_000 })
    const keys = Array.from({ length: 600 }, (_, n) => encode(`${n} `.padEnd(1_000, 'x')))
    const entries = keys.map(key => {
      expect(table.find(key, 0, key.length)).toBe(-1)
      return table.add(key, 0, key.length)
    })
    expect(entries.filter(entry => entry >= 0)).toHaveLength(500)
    expect(keys.map(key => table.find(key, 0, key.length))).toEqual(entries)
  })

  test('finds what was added and nothing else, and takes no more than its limits', () => {
    const table = new ByteTable({ entries: 16, arenaBytes: 200 })
    const added = new Map<string, number>()
    for (let i = 0; i < 40; i++) {
      const key = encode(`key ${i}`)
      expect(table.find(key, 0, key.length)).toBe(-1)
      const entry = table.add(key, 0, key.length)
      if (entry >= 0) added.set(`key ${i}`, entry)
    }
    expect(added.size).toBe(16)
    expect(table.crowded).toBe(true)
    for (const [key, entry] of added) expect(table.find(encode(key), 0, key.length)).toBe(entry)
    table.clear()
    expect(table.find(encode('key 0'), 0, 5)).toBe(-1)
  })
})
