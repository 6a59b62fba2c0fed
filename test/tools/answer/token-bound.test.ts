import fc from 'fast-check'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { isPair, isTriple, knownRuns, knownWords } from '../../../src/tools/answer/lexicon.ts'
import { tokenBound } from '../../../src/tools/answer/token-bound.ts'

const real = (text: string): number => encode(text).length

describe('the lexicon', () => {
  it('knows what every word costs alone and behind the prefixes it names', () => {
    const wrong = [...knownWords].filter(
      ([word, cost]) =>
        real(word) !== cost.alone ||
        [...cost.behind].some(([code, tokens]) => real(String.fromCharCode(code) + word) !== tokens),
    )
    expect(wrong).toEqual([])
    expect(knownWords.size).toBeGreaterThan(2_000)
    expect(knownWords.get('service')?.behind.size).toBe(7)
  })

  it('holds only words that cost at most one more after any punctuation', () => {
    const marks = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~']
    const wrong = [...knownWords].flatMap(([word, cost]) =>
      marks.filter(mark => real(mark + word) > cost.alone + 1).map(mark => mark + word),
    )
    expect(wrong).toEqual([])
  })

  it('counts its runs of punctuation as the tokenizer does', () => {
    const wrong = [...knownRuns].filter(([run, tokens]) => real(run) !== tokens)
    expect(wrong).toEqual([])
  })

  it('claims a pair only where the tokenizer has one', () => {
    const wrong: string[] = []
    for (let first = 32; first < 127; first++) {
      for (let second = 32; second < 127; second++) {
        const text = String.fromCharCode(first, second)
        if (isPair(first, second) !== (real(text) === 1)) wrong.push(text)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('triples', () => {
  it('are claimed only where the tokenizer has one', () => {
    const letters = [...'abcdefghijklmnopqrstuvwxyz']
    const wrong: string[] = []
    let claimed = 0
    for (const first of [...letters, ...letters.map(letter => letter.toUpperCase()), ...' _./-"']) {
      for (const second of letters) {
        for (const third of letters) {
          const text = first + second + third
          if (!isTriple(first.charCodeAt(0), second.charCodeAt(0), third.charCodeAt(0))) continue
          claimed++
          if (real(text) !== 1) wrong.push(text)
        }
      }
    }
    expect(wrong).toEqual([])
    expect(claimed).toBeGreaterThan(5_000)
  })
})

const ascii = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map(code => String.fromCharCode(code)),
  maxLength: 200,
})
const letters = fc.string({
  unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'),
  maxLength: 60,
})
const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), maxLength: 64 })
const marks = fc.string({ unit: fc.constantFrom(...'"{}[]:,.-_/()<>*=\\ \''), maxLength: 24 })
const words = fc.constantFrom(...knownWords.keys())
const strange = fc.constantFrom(
  'é',
  'ß',
  'Ａ',
  '\u0301',
  '中',
  '٣',
  '²',
  "'s",
  "'LL",
  ' ',
  '\t',
  '\n',
  '\u00a0',
  '🙂',
  '\u0000',
)
const anything = fc.oneof(
  fc.array(fc.oneof(words, strange, marks), { maxLength: 20 }).map(parts => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  ascii,
  letters,
  hex,
  marks,
  fc.json({ maxDepth: 4 }),
  fc.integer().map(String),
  fc
    .array(
      fc.oneof(
        words,
        marks,
        hex,
        letters,
        fc.nat().map(String),
        fc.string({ unit: 'grapheme', maxLength: 3 }),
      ),
      { maxLength: 30 },
    )
    .map(parts => parts.join('')),
  fc.array(words, { maxLength: 30 }).map(parts => parts.join("'")),
)

describe('the bound', () => {
  it('is never below the tokenizer, for any text', () => {
    fc.assert(
      fc.property(anything, text => {
        // A lone half of a surrogate pair cannot be sent as UTF-8; JSON.stringify never writes one.
        const sent = text.toWellFormed()
        expect(tokenBound(sent)).toBeGreaterThanOrEqual(real(sent))
      }),
      { numRuns: 4_000 },
    )
  })

  it.each([
    ['a mark between a sign of unknown kind and a word', '𮹞\\u0000'],
    ['a word after a tab', '\tmeasurement\tof\tlatency'],
    ['digits next to digits of another script', '1²345٣6789'],
    ['an apostrophe that belongs to the word before it', "it's they'll DON'T o'clock"],
    ['capitals inside words', 'HTTPServer getURLFor XMLHttpRequest'],
    ['spaces of several kinds', ' \u00a0 \u2003foo   bar'],
  ])('is never below it for %s', (_what, text) => {
    expect(tokenBound(text)).toBeGreaterThanOrEqual(real(text))
    expect(tokenBound(JSON.stringify(text))).toBeGreaterThanOrEqual(real(JSON.stringify(text)))
  })

  it('is never below the tokenizer for the same as JSON', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 5 }), texts => {
        const sent = JSON.stringify(texts)
        expect(tokenBound(sent)).toBeGreaterThanOrEqual(real(sent))
      }),
      { numRuns: 1_000 },
    )
  })
})
