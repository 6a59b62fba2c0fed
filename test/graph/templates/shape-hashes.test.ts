import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineHash } from '../../../src/graph/templates/line-hash.ts'
import { ShapeHashes } from '../../../src/graph/templates/shape-hashes.ts'
import { LineCut, maxVariables } from '../../../src/model/line-runs.ts'

function numberOf(hash: LineHash): number {
  return hash.high * 2 ** 32 + (hash.low >>> 0)
}

/** Numbers of a line in the midst of other bytes. */
function walk(hash: LineHash, text: string): { readonly number: number; readonly shape: number } {
  const bytes = Buffer.from(`=${text}=`, 'utf8')
  hash.walk(bytes, 1, bytes.length - 1)
  return { number: numberOf(hash), shape: hash.shape }
}

/** Variables of every form, and words that are none. */
const variable = fc.oneof(
  fc.nat(120).map(String),
  fc.integer({ min: 1_990, max: 2_030 }).map(String),
  fc.bigInt({ min: 0n, max: 2n ** 64n }).map(id => id.toString(16)),
  fc.constantFrom(
    '05',
    '23',
    '5432',
    'a1',
    'dec1',
    'sep12',
    'deadbeef',
    'cafe',
    'added',
    'x9',
    'tty2',
    'H12345',
  ),
  fc.constantFrom('ABCDEF123456', 'b12345', 'token1', 'key9', '0x7ffe12', '12ms', '2x'),
)

/** Between variables: words and punctuation that decide what becomes of them. */
const between = fc.constantFrom(
  ...[
    ' ',
    ' ',
    ' ',
    ', ',
    ' took ',
    ' ms ',
    ' user-',
    ' eu-west-',
    '.',
    ':',
    '-',
    '/',
    '(',
    ') ',
    '" ',
    ' "',
  ],
  ...[
    '=',
    ' uid=',
    ' name="',
    "'",
    ' <',
    '> ',
    '[',
    '] ',
    ' Jul ',
    ' Sat Jul ',
    ' Bearer ',
    ' before ',
    ' password: ',
  ],
  ...[
    ' password ',
    ': ',
    '= ',
    ' token-',
    '://',
    ' http://',
    ' HTTP/',
    ' core.',
    ' a.b-',
    ' v',
    '%',
    '+',
    '_',
    '#',
    '..',
  ],
  ...['\n', '\t', ' dead-', ' face:', ';', '|', ' deadline '],
)

/** Lines of one shape, whatever their variables are. */
const family = fc.array(between, { minLength: 1, maxLength: 9 }).chain(pieces =>
  fc
    .array(fc.array(variable, { minLength: pieces.length, maxLength: pieces.length }), {
      minLength: 6,
      maxLength: 12,
    })
    .map(lines => lines.map(values => pieces.map((piece, at) => piece + values[at]).join(''))),
)

describe('a line whose number is known by its shape', () => {
  it('has the number that walking its words gives', () => {
    const known = new LineHash(new ShapeHashes())
    const words = new LineHash()
    let shaped = 0
    fc.assert(
      fc.property(family, lines => {
        for (const line of lines) {
          const { number, shape } = walk(known, line)
          if (shape > 0) shaped++
          words.walkText(line)
          expect(number, JSON.stringify(line)).toBe(numberOf(words))
        }
      }),
      { numRuns: 4_000 },
    )
    expect(shaped).toBeGreaterThan(5_000)
  })

  it.each([
    [['12-01-02 10:11:12 x', '2024-01-02 10:11:12 x']],
    [['a 12/01/02 10:11:12 x', 'a 2024/01/02 10:11:12 x']],
    [['dead1-22 x', 'dec-22 10:11:12 x', 'dec1-22 10:11:12 x']],
  ])('has it also where the first lines of the shape hold no date: %j', lines => {
    const known = new LineHash(new ShapeHashes())
    const words = new LineHash()
    const [first = ''] = lines
    for (const line of [first, first, first, ...lines]) {
      words.walkText(line)
      expect(walk(known, line).number, line).toBe(numberOf(words))
    }
  })

  it('is told by its shape for most lines that systems write', () => {
    const hash = new LineHash(new ShapeHashes())
    const line = (n: number) =>
      `order ${(n * 7_919).toString(16).padStart(12, '9')} shipped in ${n} ms for user-${n + 1_000}, region eu-${n % 3}`
    for (let n = 0; n < 100; n++) walk(hash, line(n))
    const walked = Array.from({ length: 100 }, (_, n) => walk(hash, line(1_000 + n)))
    expect(new Set(walked.map(one => one.shape)).size).toBe(1)
    expect(walked[0]?.shape).toBeGreaterThan(0)
    expect(new Set(walked.map(one => one.number)).size).toBe(3)
  })
})

describe('the trie of shapes', () => {
  it('finds the variables that cutting finds', () => {
    const hash = new LineHash(new ShapeHashes())
    const cut = new LineCut()
    let found = 0
    fc.assert(
      fc.property(fc.array(family, { minLength: 1, maxLength: 3 }), families => {
        for (const line of families.flat()) {
          const bytes = Buffer.from(line, 'utf8')
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
          hash.walk(bytes, 0, bytes.length)
          if (hash.shape === 0) continue
          found++
          expect(cut.cut(bytes, view, 0, bytes.length)).toBe(true)
          const { trie } = hash.shapes
          expect(trie.variables).toBe(cut.variables)
          expect([...trie.from.subarray(0, trie.variables)]).toEqual([...cut.from.subarray(0, cut.variables)])
          expect([...trie.to.subarray(0, trie.variables)]).toEqual([...cut.to.subarray(0, cut.variables)])
        }
      }),
      { numRuns: 1_000 },
    )
    expect(found).toBeGreaterThan(1_000)
  })

  it('tells shapes apart and begins anew when it is full', () => {
    const hash = new LineHash(new ShapeHashes())
    const shapes = new Map<number, string>()
    const word = (n: number) =>
      [...n.toString(20)].map(digit => String.fromCharCode(103 + (Number.parseInt(digit, 20) % 20))).join('')
    for (let n = 0; n < 20_000; n++) {
      const text = `${word(n)} ${'g'.repeat(n % 90)} of ${word(n * 7)}`
      for (const value of [1, 2, 3, 4]) {
        const { shape } = walk(hash, `${text} ${value}`)
        if (shape === 0) continue
        expect(shapes.get(shape) ?? text).toBe(text)
        shapes.set(shape, text)
      }
    }
    expect(shapes.size).toBeGreaterThan(5_000)
  })

  it('has none for lines that are long, beyond ASCII or full of numbers', () => {
    const hash = new LineHash(new ShapeHashes())
    for (const text of ['word 1 '.repeat(300), 'größe 1', '1 '.repeat(maxVariables + 1)])
      expect([1, 2, 3, 4].map(() => walk(hash, text).shape)).toEqual([0, 0, 0, 0])
  })
})
