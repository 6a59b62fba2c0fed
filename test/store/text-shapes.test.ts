import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokensOf } from '../../src/store/search/fold-text.ts'
import { TextShapes } from '../../src/store/segment/text-shapes.ts'
import { viewOf } from '../../src/store/segment/words.ts'

function find(shapes: TextShapes, text: string): number {
  const bytes = Buffer.from(`<${text}>`, 'utf8')
  return shapes.find(bytes, viewOf(bytes), 1, bytes.length - 1)
}

/** What the text found last leaves out. */
function variablesOf(shapes: TextShapes, text: string): string[] {
  const bytes = Buffer.from(`<${text}>`, 'utf8')
  return Array.from({ length: shapes.variables }, (_, at) =>
    bytes.toString('utf8', shapes.from[at], shapes.to[at]),
  )
}

function piecesOf(shapes: TextShapes, shape: number): string[] {
  const pieces: string[] = []
  shapes.eachPiece(shape, (bytes, from, to) => pieces.push(Buffer.from(bytes.subarray(from, to)).toString()))
  return pieces
}

describe('the shape of a text', () => {
  it.each([
    ['order 17 took 3 ms', ['17', '3'], ['order ', ' took ', ' ms']],
    [
      'user-12345, 10.0.0.7:80',
      ['12345', '10', '0', '0', '7', '80'],
      ['user-', ', ', '.', '.', '.', ':', ''],
    ],
    ['id=3f2a9c1b-aaaa-cafe', ['3f2a9c1b', 'aaaa', 'cafe'], ['id=', '-', '-', '']],
    ['bad face of the dead', ['face', 'dead'], ['bad ', ' of the ', '']],
    ['Tty2 and X11', ['Tty2', 'X11'], ['', ' and ', '']],
    ['nothing to see', [], ['nothing to see']],
    ['', [], ['']],
  ])('leaves numbers and ids out of %j', (text, variables, pieces) => {
    const shapes = new TextShapes()
    find(shapes, text)
    const shape = find(shapes, text)
    expect(shape).toBe(0)
    expect(variablesOf(shapes, text)).toEqual(variables)
    expect(piecesOf(shapes, shape)).toEqual(pieces)
  })

  it('is given from the second text of it on, once', () => {
    const shapes = new TextShapes()
    expect(
      ['a 1', 'b 1', 'a 2', 'a 3', 'b 2', 'c 9', '-x-', 'xxxxx', 'xxxxxxx'].map(text => find(shapes, text)),
    ).toEqual([-1, -1, 0, 0, 1, -1, -1, -1, -1])
    expect(shapes.count).toBe(2)
  })

  it.each([
    ['beyond ASCII', 'größe 1'],
    ['with very many numbers', '1 '.repeat(65)],
    ['longer than what is looked up', 'word '.repeat(1_000)],
  ])('is none for texts %s', (_, text) => {
    const shapes = new TextShapes()
    expect([find(shapes, text), find(shapes, text), shapes.count]).toEqual([-1, -1, 0])
  })

  it('gives the text and its words back, whatever they are', () => {
    const text = fc
      .array(
        fc.oneof(
          fc.constantFrom(
            'order',
            'Face',
            'DEAD',
            'a1',
            '-',
            ' ',
            '_',
            '=',
            '.',
            '12',
            'x'.repeat(45),
            'feed',
          ),
          fc.string({ maxLength: 4 }),
        ),
        { maxLength: 24 },
      )
      .map(parts => parts.join(''))
    let shaped = 0
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 20 }), texts => {
        const shapes = new TextShapes()
        for (const one of [...texts, ...texts]) {
          const shape = find(shapes, one)
          if (shape < 0) continue
          shaped++
          const variables = variablesOf(shapes, one)
          const pieces = piecesOf(shapes, shape)
          expect(pieces.map((piece, at) => piece + (variables[at] ?? '')).join('')).toBe(one)
          const words = [...pieces, ...variables].flatMap(tokensOf)
          expect(words.sort()).toEqual([...tokensOf(one)].sort())
        }
      }),
      { numRuns: 300 },
    )
    expect(shaped).toBeGreaterThan(1_000)
  })

  it('is remembered for a bounded number of texts', () => {
    const shapes = new TextShapes()
    const word = (n: number) =>
      [...n.toString(36)]
        .map(character => String.fromCharCode(103 + (Number.parseInt(character, 36) % 18)))
        .join('')
    const texts = Array.from({ length: 40_000 }, (_, n) => `${word(n)} ${word(n >> 3)} ${word(n * 7)} 1`)
    for (const text of [...texts, ...texts]) find(shapes, text)
    expect(shapes.count).toBeGreaterThan(10_000)
    expect(shapes.count).toBeLessThanOrEqual(16_384)
  })
})
