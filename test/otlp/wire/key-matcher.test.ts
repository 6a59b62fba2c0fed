import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { viewOf } from '../../../src/otlp/wire/byte-view.ts'
import { KeyMatcher } from '../../../src/otlp/wire/key-matcher.ts'

const keys = ['db.name', 'user.id', 'http.status_code', 'messaging.system', 'http.request.method', 'peer']
const matcher = new KeyMatcher(keys)

function match(text: string, before = '', after = ''): number {
  const bytes = new TextEncoder().encode(before + text + after)
  return matcher.match(viewOf(bytes), before.length, new TextEncoder().encode(text).length)
}

describe('the key matcher', () => {
  test('finds every key by its place in the list, wherever it stands', () => {
    expect(keys.map(key => match(key))).toEqual([0, 1, 2, 3, 4, 5])
    expect(keys.map(key => match(key, 'xyz', 'tail'))).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('takes nothing else for a key, however alike', () => {
    const others = keys.flatMap(key => {
      const changed = Array.from(key, (_, at) => `${key.slice(0, at)}#${key.slice(at + 1)}`)
      return [key.slice(1), key.slice(0, -1), `${key}x`, key.toUpperCase(), ...changed]
    })
    expect(others.filter(other => match(other) !== -1)).toEqual([])
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), text => {
        expect(match(text)).toBe(keys.indexOf(text))
      }),
    )
  })

  test('refuses keys it could not compare', () => {
    expect(() => new KeyMatcher(['abc'])).toThrow('too short')
    expect(() => new KeyMatcher(['x'.repeat(128)])).toThrow('too long')
  })
})
