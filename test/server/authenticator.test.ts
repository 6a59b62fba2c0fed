import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Access, Credentials } from '../../src/model/auth.ts'
import { KeyAuthenticator, type KeyAuthenticatorOptions } from '../../src/server/authenticator.ts'
import { ManualClock } from './manual-clock.ts'

const key = 'f3b1c0de-key-of-the-test'

function authenticator(changes: Partial<KeyAuthenticatorOptions> = {}): KeyAuthenticator {
  return new KeyAuthenticator({
    keys: [{ id: 'api-key', secret: key }],
    keyRequired: true,
    defaultTenant: 'default',
    clock: new ManualClock(),
    ...changes,
  })
}

function credentials(changes: Partial<Credentials> = {}): Credentials {
  return { authorization: undefined, apiKey: undefined, tenant: undefined, peer: '10.0.0.1', ...changes }
}

const operator: Access = {
  granted: true,
  caller: { tenant: 'default', principal: 'api-key', operator: true },
}

describe('with a key set', () => {
  it.each([
    ['a bearer token', { authorization: `Bearer ${key}` }],
    ['a bearer token in other letter case', { authorization: `bearer ${key}` }],
    ['x-api-key', { apiKey: key }],
    ['x-api-key beside another scheme', { authorization: 'Basic abc', apiKey: key }],
  ])('%s makes an operator', (_, given) => {
    expect(authenticator().authenticate(credentials(given))).toEqual(operator)
  })

  it.each([
    ['nothing', {}],
    ['an empty key', { apiKey: '' }],
    ['a wrong key', { apiKey: `${key}x` }],
    ['the beginning of the key', { apiKey: key.slice(0, -1) }],
    ['the key under another scheme', { authorization: `Basic ${key}` }],
    ['a wrong bearer token beside the right x-api-key', { authorization: 'Bearer wrong', apiKey: key }],
  ])('%s is not authenticated, from the loopback either', (_, given) => {
    for (const peer of ['10.0.0.1', '127.0.0.1', '::1']) {
      const access = authenticator().authenticate(credentials({ ...given, peer }))
      expect(access).toMatchObject({ granted: false, refusal: 'unauthenticated' })
      expect(JSON.stringify(access)).not.toContain(key)
    }
  })

  it('no text but the key itself is taken for it', () => {
    const subject = authenticator({ clock: { now: () => 0 } })
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, n) => {
        fc.pre(text !== key)
        const peer = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
        expect(subject.authenticate(credentials({ apiKey: text, peer })).granted).toBe(false)
      }),
    )
  })

  it('each of several keys keeps its name', () => {
    const subject = authenticator({
      keys: [
        { id: 'api-key', secret: key },
        { id: 'owner', secret: 'token-of-the-owner' },
      ],
    })
    const access = subject.authenticate(credentials({ authorization: 'Bearer token-of-the-owner' }))
    expect(access).toMatchObject({ granted: true, caller: { principal: 'owner' } })
  })
})

describe('without a key set', () => {
  const open = { keys: [], keyRequired: false }

  it('the loopback is an operator', () => {
    for (const peer of ['127.0.0.1', '127.9.9.9', '::1']) {
      const access = authenticator(open).authenticate(credentials({ peer, tenant: 'shop' }))
      expect(access).toEqual({
        granted: true,
        caller: { tenant: 'shop', principal: 'loopback', operator: true },
      })
    }
  })

  it('others work for the default tenant and may name no other', () => {
    const subject = authenticator(open)
    expect(subject.authenticate(credentials())).toEqual({
      granted: true,
      caller: { tenant: 'default', principal: 'unauthenticated', operator: false },
    })
    expect(subject.authenticate(credentials({ tenant: 'default' })).granted).toBe(true)
    expect(subject.authenticate(credentials({ tenant: 'shop' }))).toMatchObject({ refusal: 'forbidden' })
  })

  it('a key meant for elsewhere does no harm', () => {
    const access = authenticator(open).authenticate(credentials({ apiKey: 'other', peer: '127.0.0.1' }))
    expect(access).toMatchObject({ granted: true, caller: { principal: 'loopback' } })
  })
})

describe('the tenant an operator names', () => {
  const named = (tenant: string): Access => authenticator().authenticate(credentials({ apiKey: key, tenant }))

  it.each([
    ['shop', 'shop'],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['Läden & Söhne', 'Läden & Söhne'],
  ])('%s is taken', (name, expected) => {
    // Header values arrive as one character per byte.
    const header = Buffer.from(name, 'utf8').toString('latin1')
    expect(named(header)).toMatchObject({ granted: true, caller: { tenant: expected } })
  })

  it.each([
    ['nothing', ''],
    ['129 bytes', 'x'.repeat(129)],
    ['65 characters of two bytes', Buffer.from('ä'.repeat(65)).toString('latin1')],
    ['a line break', 'a\nb'],
    ['a NUL', 'a\0'],
    ['DEL', 'a\x7f'],
    ['a C1 control', Buffer.from('a\u0085').toString('latin1')],
    ['a line separator', Buffer.from('a\u2028').toString('latin1')],
    ['bytes that are no UTF-8', 'a\xff'],
  ])('%s is refused', (_, header) => {
    expect(named(header)).toMatchObject({ granted: false, refusal: 'invalid_tenant' })
  })
})

describe('failed attempts', () => {
  function failing(subject: KeyAuthenticator, peer: string, times: number): Access | undefined {
    let last: Access | undefined
    for (let i = 0; i < times; i++) last = subject.authenticate(credentials({ apiKey: `guess ${i}`, peer }))
    return last
  }

  it('are limited per address, and the right key is not tried meanwhile', () => {
    const clock = new ManualClock()
    const subject = authenticator({ clock })
    expect(failing(subject, '10.0.0.1', 20)).toMatchObject({ refusal: 'unauthenticated' })
    const access = subject.authenticate(credentials({ apiKey: key }))
    expect(access).toMatchObject({ granted: false, refusal: 'throttled', retryAfterMs: 60_000 })
    expect(subject.authenticate(credentials({ apiKey: key, peer: '10.0.0.2' })).granted).toBe(true)
    clock.nowMs += 60_000
    expect(subject.authenticate(credentials({ apiKey: key })).granted).toBe(true)
  })

  it('of one sender do not lock out others behind the same address', () => {
    const subject = authenticator()
    expect(subject.authenticate(credentials({ apiKey: key })).granted).toBe(true)
    failing(subject, '10.0.0.1', 100)
    expect(subject.authenticate(credentials({ apiKey: key })).granted).toBe(true)
  })

  it('count together for one network of IPv6', () => {
    const subject = authenticator()
    for (let i = 0; i < 20; i++) failing(subject, `2001:db8:0:1::${i.toString(16)}`, 1)
    expect(failing(subject, '2001:db8:0:1:ffff::1', 1)).toMatchObject({ refusal: 'throttled' })
    expect(failing(subject, '2001:db8:0:2::1', 1)).toMatchObject({ refusal: 'unauthenticated' })
  })

  it('are not counted for requests without any key', () => {
    const subject = authenticator()
    for (let i = 0; i < 100; i++) subject.authenticate(credentials())
    expect(subject.authenticate(credentials({ apiKey: key })).granted).toBe(true)
  })
})
