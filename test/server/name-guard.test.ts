import { describe, expect, it } from 'vitest'
import { NameGuard, type NameGuardOptions } from '../../src/server/name-guard.ts'

function guard(changes: Partial<NameGuardOptions> = {}): NameGuard {
  return new NameGuard({
    bindAddress: '127.0.0.1',
    allowedHosts: [],
    allowedOrigins: [],
    keyRequired: false,
    ...changes,
  })
}

describe('Host', () => {
  it.each([
    'localhost',
    'localhost:8080',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.0.0.1:8080',
    '[::1]:8080',
    'localhost.',
  ])('%s is this machine', host => {
    expect(guard().hostAllowed(host)).toBe(true)
  })

  it.each([
    'evil.example.org',
    'evil.example.org:8080',
    'localhost.evil.example.org',
    '127.0.0.1.evil.example.org',
    'localhost@evil.example.org',
    '10.0.0.1',
    '[::2]',
    '',
    'local host',
    'localhost:8080:8080',
  ])('%j is foreign to a listener on the loopback', host => {
    expect(guard().hostAllowed(host)).toBe(false)
  })

  it('may be an address where the listener is reachable, but no name that was not configured', () => {
    const open = guard({ bindAddress: '0.0.0.0', allowedHosts: ['otel.example.com', '*.svc.cluster.local'] })
    expect(open.hostAllowed('10.1.2.3:8080')).toBe(true)
    expect(open.hostAllowed('[2001:db8::1]:8080')).toBe(true)
    expect(open.hostAllowed('OTEL.example.com')).toBe(true)
    expect(open.hostAllowed('otel.monitoring.svc.cluster.local:4318')).toBe(true)
    expect(open.hostAllowed('svc.cluster.local.evil.example.org')).toBe(false)
    expect(open.hostAllowed('evil.example.org')).toBe(false)
  })

  it('may be anything where an operator says so, and may be missing', () => {
    expect(guard({ allowedHosts: ['*'] }).hostAllowed('evil.example.org')).toBe(true)
    expect(guard().hostAllowed(undefined)).toBe(true)
  })
})

describe('Origin', () => {
  it.each(['http://localhost:3000', 'http://127.0.0.1', 'https://[::1]:6274'])(
    '%s is this machine',
    origin => {
      expect(guard().originAllowed(origin, 'localhost:8080')).toBe(true)
    },
  )

  it.each([
    'https://evil.example.org',
    'null',
    'https://localhost.evil.example.org',
    'file://',
    'nonsense',
    '',
  ])('%j is foreign, whatever the listener is bound to', origin => {
    expect(guard().originAllowed(origin, 'localhost')).toBe(false)
    const open = guard({ bindAddress: '0.0.0.0', allowedHosts: ['*'] })
    expect(open.originAllowed(origin, 'localhost')).toBe(false)
  })

  it('of a foreign address is foreign even where addresses are fine as Host', () => {
    expect(guard({ bindAddress: '0.0.0.0' }).originAllowed('http://203.0.113.9', '10.0.0.1:8080')).toBe(false)
  })

  it('of the server itself is fine', () => {
    expect(guard({ bindAddress: '0.0.0.0' }).originAllowed('http://10.0.0.1:8080', '10.0.0.1:8080')).toBe(
      true,
    )
  })

  it('on the list may read answers, and nobody else', () => {
    const listed = guard({ allowedOrigins: ['https://Console.example.com/'] })
    expect(listed.originAllowed('https://console.example.com', 'localhost')).toBe(true)
    expect(listed.corsAllowed('https://console.example.com')).toBe(true)
    expect(listed.corsAllowed('http://console.example.com')).toBe(false)
    expect(listed.corsAllowed('http://localhost')).toBe(false)
    expect(listed.corsAllowed(undefined)).toBe(false)
  })
})

describe('a Host nobody listed', () => {
  const name = 'otelcontext.monitoring.svc'

  it('passes on a network with a key, because a page that rebinds its name has none', () => {
    expect(guard({ bindAddress: '0.0.0.0', keyRequired: true }).hostAllowed(name, true)).toBe(true)
  })

  it.each([
    ['no key is presented', { bindAddress: '0.0.0.0', keyRequired: true }, false],
    [
      'no key is required, so presenting one proves nothing',
      { bindAddress: '0.0.0.0', keyRequired: false },
      true,
    ],
    ['the listener is on the loopback', { bindAddress: '127.0.0.1', keyRequired: true }, true],
  ])('is refused when %s', (_, changes, presentsKey) => {
    expect(guard(changes).hostAllowed(name, presentsKey)).toBe(false)
  })
})
