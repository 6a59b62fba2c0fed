import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineHash } from '../../../src/graph/templates/line-hash.ts'
import { TemplateMiner } from '../../../src/graph/templates/template-miner.ts'
import { maxTokens, tokenize } from '../../../src/graph/templates/tokenize.ts'
import type { TemplateRecord } from '../../../src/model/store.ts'

function miner(templates: readonly TemplateRecord[] = [], limits = {}): TemplateMiner {
  return new TemplateMiner({
    tenant: 't',
    templates,
    maxTemplates: 1_000,
    maxTemplatesPerService: 500,
    ...limits,
  })
}

function patternsOf(lines: readonly string[]): string[] {
  const one = miner()
  const numbers = lines.map(line => one.assign('s', line, 9, 1))
  return [...new Set(numbers.map(number => one.patternOf(number)))]
}

function numberOf(hash: LineHash): number {
  return hash.high * 2 ** 32 + (hash.low >>> 0)
}

describe('what varies by its form', () => {
  it.each([
    ['numbers', 'took 15 ms and -3.5 or 20%', 'took <*> ms and <*> or <*>'],
    ['hexadecimal and ids', 'object 0x7ffe12 of 3f2a9c1b-aaaa-bbbb-cccc-0123456789ab', 'object <*> of <*>'],
    [
      'addresses with and without port',
      'from 10.0.0.1 to /10.0.0.2:8080 via cache-7:6379',
      'from <*> to <*> via <*>',
    ],
    ['IPv6 and hardware addresses', 'peer fe80:0:0:0:1:2:3:4 mac 00:1b:44:11:3a:b7', 'peer <*> mac <*>'],
    [
      'paths and URLs',
      'open /var/lib/a b from https://x.org/y?z=1 and C:\\temp\\x',
      'open <*> b from <*> and <*>',
    ],
    [
      'times in several words',
      'at Sat Jul 23 05:12:03 2005 and 2024-01-02 03:04:05,678 done',
      'at <*> and <*> done',
    ],
    [
      'days before a date',
      'CheckDate:Sun Jul 24 05:12:03 CST 2005, date="Sun, 24 Jul 2005 05:12:03 GMT" on Sun',
      'CheckDate:<*> <*>, date="<*>" on Sun',
    ],
    ['days before a date in a word', 'date:"Sun, 24 Jul 2005 05:12:03 GMT"', 'date:"<*>, <*> <*> GMT"'],
    ['assigned values', 'uid=0 name=main, ok=true x=', 'uid=<*> name=main, ok=<*> x='],
    ['quoted values', 'tag="View Lock" end', 'tag="<*>" end'],
    ['a request line', '"GET /v1/items/3 HTTP/1.1" status: 200', '"GET <*>" status: <*>'],
    ['empty brackets', 'connection from 1.2.3.4 () at x', 'connection from <*> (<*>) at x'],
    ['a number after a name', 'wrote core.2275', 'wrote core.<*>'],
    ['leader dots', 'machine check enable......0', 'machine check enable......<*>'],
  ])('is masked: %s', (_, line, pattern) => {
    expect(tokenize(line).join('')).toBe(pattern)
  })

  it.each([
    ['login with password=hunter and more', 'login with password=<*> and more'],
    ['DB_PASSWORD: correct-horse done', 'DB_PASSWORD: <*> done'],
    ['passed: correct-horse done', 'passed: correct-horse done'],
    ['password: correct-horse done', 'password: <*> done'],
    ['sent Authorization: Bearer abc.def.ghi to it', 'sent Authorization: Bearer <*> to it'],
    ['{"client_secret":"swordfish"}', '{"client_secret":<*>"}'],
    ['key AKIAIOSFODNNSEVEN7EX used', 'key <*> used'],
  ])('is masked behind the name of a secret: %s', (line, pattern) => {
    expect(tokenize(line).join('')).toBe(pattern)
  })

  it('leaves names with a digit or two alone', () => {
    expect(tokenize('jk2_init() on tty2 over ssh2').join('')).toBe('jk2_init() on tty2 over ssh2')
  })

  it('is looked for on the first line only', () => {
    expect(tokenize('boom at 7\n  at A.b(C.java:3)').join('')).toBe('boom at <*>')
  })
})

describe('templates', () => {
  it('join lines that differ in values', () => {
    expect(patternsOf(['user=alice logged in', 'user=bob logged in'])).toEqual(['user=<*> logged in'])
    expect(patternsOf(['disk sda1 is full', 'disk sdb2 is full'])).toEqual(['disk <*> is full'])
  })

  it('keep lines apart that differ in a word', () => {
    expect(patternsOf(['task 1 went from NEW to READY', 'task 2 went from NEW to FAILED'])).toHaveLength(2)
  })

  it('make a word a variable once many were seen at its place', () => {
    const words = ['red', 'green', 'blue', 'white', 'black', 'brown']
    expect(patternsOf(words.map(word => `the colour is ${word} today`))).toEqual(['the colour is <*> today'])
  })

  it('make lists of any length one', () => {
    const list = (n: number) =>
      `found items [${Array.from({ length: n }, (_, i) => `item(id=${i}, size=${i * 3})`).join(', ')}]`
    expect(patternsOf([list(4), list(9), list(30)])).toHaveLength(1)
  })

  it('do not care for the unit of a value', () => {
    expect(patternsOf(['used 5.2 KB of memory', 'used 17 B of memory', 'used 3 MB of memory'])).toEqual([
      'used <*> of memory',
    ])
  })

  it('keep number and id while the pattern generalises', () => {
    const one = miner()
    const first = one.assign('s', 'host web1 is up', 9, 5)
    const before = one.changed()
    const second = one.assign('s', 'host web2 is up', 9, 6)
    const after = one.changed()
    expect(second).toBe(first)
    expect(before.map(record => [record.id, record.pattern])).toEqual([[one.idOf(first), 'host web1 is up']])
    expect(after.map(record => [record.id, record.pattern, record.firstSeenMs])).toEqual([
      [one.idOf(first), 'host <*> is up', 5],
    ])
    expect(one.idOf(first)).toMatch(/^[0-9a-f]{16}$/)
  })

  it('are separate per service and tenant', () => {
    const one = miner()
    const other = new TemplateMiner({
      tenant: 'u',
      templates: [],
      maxTemplates: 9,
      maxTemplatesPerService: 9,
    })
    const a = one.assign('a', 'started', 9, 1)
    const b = one.assign('b', 'started', 9, 1)
    expect(a).not.toBe(b)
    expect(new Set([one.idOf(a), one.idOf(b), other.idOf(other.assign('a', 'started', 9, 1))]).size).toBe(3)
  })

  it('hold the highest severity that was seen', () => {
    const one = miner()
    one.assign('s', 'job ended', 9, 1)
    one.assign('s', 'job ended', 17, 1)
    one.assign('s', 'job ended', 5, 1)
    expect(one.changed().map(record => record.severity)).toEqual([17])
  })

  it('survive a restart through their records', () => {
    const lines = [
      'host web1 is up',
      'host web2 is up',
      'used 5.2 KB of memory',
      'used 17 B of memory',
      ...['red', 'green', 'blue', 'white', 'black'].map(word => `the colour is ${word} today`),
      'rare 7 <odd> [thing]: "quoted text", end.',
    ]
    const first = miner()
    for (const line of lines) first.assign('s', line, 9, 1)
    const second = miner(first.changed())
    for (const line of lines) {
      const number = second.assign('s', line, 9, 2)
      expect(number).toBe(first.assign('s', line, 9, 3))
      expect([second.idOf(number), second.patternOf(number)]).toEqual([
        first.idOf(number),
        first.patternOf(number),
      ])
    }
    expect(second.changed()).toEqual([])
    expect(second.assign('s', 'something new', 9, 9)).toBe(first.assign('s', 'something new', 9, 9))
  })

  it('fold lines that would need one too many, and count them', () => {
    const one = miner([], { maxTemplatesPerService: 3 })
    const word = (i: number) => 'abcdefgh'.charAt(i).repeat(i + 2)
    const numbers = Array.from({ length: 8 }, (_, i) =>
      one.assign('s', `${word(i)} ${word(7 - i)} gone`, 9, 1),
    )
    expect(new Set(numbers).size).toBe(4)
    expect(one.folded).toBe(5)
    expect(one.patternOf(numbers[7] ?? 0)).toBe('_overflow')
    expect(one.assign('s', `${word(0)} ${word(7)} gone`, 9, 1)).toBe(numbers[0])
  })
})

describe('a line that was folded', () => {
  it('is counted each time, and gets a template once one has become general enough', () => {
    const one = miner([], { maxTemplatesPerService: 2 })
    const numbers = ['disk sda1 is full', 'other things', 'disk full of web7', 'disk full of web7'].map(
      line => one.assign('s', line, 9, 1),
    )
    expect(numbers[2]).toBe(numbers[3])
    expect([one.patternOf(numbers[2] ?? 0), one.folded]).toEqual(['_overflow', 2])
    const template = one.assign('s', 'disk sdb2 is full', 9, 1)
    expect(one.patternOf(template)).toBe('disk <*> is full')
    expect(one.patternOf(one.assign('s', 'disk full of web7', 9, 1))).toBe('_overflow')
    expect(one.folded).toBe(3)
  })
})

describe('any line', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(
        fc.constantFrom('a', '1', ' ', '=', '"', '<*>', '(', ')', '.', '/', ':', ',', '[', ']', 'x9', 'Jan'),
        { maxLength: 80 },
      )
      .map(parts => parts.join('')),
  )

  it('gets a template, the same one when it comes again', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 30 }), lines => {
        const one = miner()
        for (const text of lines) one.assign('s', text, 9, 1)
        for (const text of lines) {
          const number = one.current(one.assign('s', text, 9, 1))
          expect(number).toBeGreaterThan(0)
          expect(one.current(one.assign('s', text, 9, 1))).toBe(number)
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each([['a.1'], ['core.2275 done']])('keeps the template of %s over a restart', text => {
    const first = miner()
    const number = first.assign('s', text, 9, 1)
    expect(miner(first.changed()).assign('s', text, 9, 1)).toBe(number)
  })

  it('keeps its template over a restart', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), lines => {
        const first = miner()
        for (const text of lines) first.assign('s', text, 9, 1)
        const numbers = lines.map(text => first.current(first.assign('s', text, 9, 1)))
        const second = miner(first.changed())
        expect(lines.map(text => second.assign('s', text, 9, 1))).toEqual(numbers)
      }),
      { numRuns: 500 },
    )
  })

  it('with the same hash as another has the same tokens', () => {
    const hash = new LineHash()
    const shapes = new Map<number, string>()
    const compared = new Set<number>()
    fc.assert(
      fc.property(line, text => {
        hash.walkText(text)
        const number = numberOf(hash)
        const shape = JSON.stringify(tokenize(text))
        if (shapes.has(number)) compared.add(number)
        expect(shapes.get(number) ?? shape).toBe(shape)
        shapes.set(number, shape)
      }),
      { numRuns: 3_000 },
    )
    expect(compared.size).toBeGreaterThan(10)
  })

  it.each([
    ['=====', '======='],
    ['x aaaaa', 'x aaaaaaaa'],
    ['abababab.', 'ababab.'],
  ])('has another hash than one that repeats a character more often: %s', (one, other) => {
    const [first, second] = [new LineHash(), new LineHash()]
    first.walkText(one)
    second.walkText(other)
    expect(numberOf(first)).not.toBe(numberOf(second))
  })

  it('has the hash of its text, read from its bytes', () => {
    const [ofBytes, ofText] = [new LineHash(), new LineHash()]
    const wordy = fc
      .array(
        fc.constantFrom(
          ...[
            'user-12',
            'web1.x.org',
            'core.22',
            'deadbe1',
            'ABCDEF123456',
            '<1',
            'é',
            '10.0.0.1:80',
            '12',
            ':',
          ],
          ...['uid=', 'none', 'deadbeef', 'tok-en', 'x_y', '=1', 'core', 'a.b', '1.2', '://'],
          ...['Bearer', 'password:', 'passed:', 'HTTP/1.1', '2005-07-23', '05:12:03', 'Jul', '/a/b1', 'tty2'],
          ...['"', '(', '),', '=', '="', ' ', ' ', ' ', '  ', '\n', 'x', '..', '<*>', '\u00a0'],
        ),
        { maxLength: 40 },
      )
      .map(parts => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(line, wordy), text => {
        const bytes = Buffer.from(`=${text}=`, 'utf8')
        ofBytes.walk(bytes, 1, bytes.length - 1)
        ofText.walkText(text)
        expect(numberOf(ofBytes)).toBe(numberOf(ofText))
      }),
      { numRuns: 10_000 },
    )
  })

  it('has a bounded number of tokens that give its shape', () => {
    fc.assert(
      fc.property(line, text => {
        const tokens = tokenize(text)
        expect(tokens.length).toBeLessThanOrEqual(maxTokens)
        expect(tokens.every(token => token.trim() !== '')).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})
