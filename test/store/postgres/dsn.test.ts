import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDsn } from '../../../src/store/postgres/dsn.ts'

const place = ({ host, port, user, password, database }: ReturnType<typeof parseDsn>) => [
  host,
  port,
  user,
  password,
  database,
]

describe('DB_DSN', () => {
  it.each([
    ['postgres://ann:s3cret@db.example:5433/shop', ['db.example', 5433, 'ann', 's3cret', 'shop']],
    ['postgresql://ann@db.example/shop', ['db.example', 5432, 'ann', undefined, 'shop']],
    ['postgres:///shop', ['localhost', 5432, undefined, undefined, 'shop']],
    ['postgres://ann:p%40ss%2Fw@[::1]:6000/shop', ['::1', 6000, 'ann', 'p@ss/w', 'shop']],
    ['postgres://ann:p@ss/w@db/shop', ['db', 5432, 'ann', 'p@ss/w', 'shop']],
    [
      'postgres://ann@/shop?host=/var/run/postgresql',
      ['/var/run/postgresql', 5432, 'ann', undefined, 'shop'],
    ],
    ['host=db port=6000 user=ann password=s3cret dbname=shop', ['db', 6000, 'ann', 's3cret', 'shop']],
    ["host=db user=ann password='it\\'s a \\\\' dbname=shop", ['db', 5432, 'ann', "it's a \\", 'shop']],
    ["user=ann password='' dbname=shop TimeZone=UTC", ['localhost', 5432, 'ann', undefined, 'shop']],
  ])('%s names host, port, user, password and database', (dsn, expected) => {
    expect(place(parseDsn(dsn))).toEqual(expected)
  })

  it.each([
    ['disable', 'db', false],
    ['', 'localhost', false],
    ['prefer', '127.0.0.1', false],
    ['', 'db', { rejectUnauthorized: false }],
    ['require', 'localhost', { rejectUnauthorized: false }],
    ['verify-ca', 'db', { rejectUnauthorized: true, checkServerIdentity: expect.any(Function) }],
    ['verify-full', 'db', { rejectUnauthorized: true }],
  ])('sslmode "%s" towards %s gives %j', (mode, host, expected) => {
    expect(parseDsn(`host=${host} ${mode === '' ? '' : `sslmode=${mode}`}`).ssl).toEqual(expected)
  })

  it.each([
    ['postgres://ann:hidden@a,b/shop', 'several hosts'],
    ['postgres://ann:hidden@db:70000/shop', 'port'],
    ['postgres://ann:hid%den@db/shop', '%'],
    ['postgres://ann:hidden@db/shop?sslmode=maybe', 'sslmode'],
    ['postgres://ann:hidden@db/shop?sslrootcert=/nowhere/hidden', 'sslrootcert'],
    ['postgres://ann:hidden@db/shop?hidden=1', 'does not know'],
    ['host=db password=hidden nonsense', 'key=value'],
    ['', 'empty'],
  ])('%s is refused, and the sentence holds the form to write and no password', (dsn, why) => {
    let message = ''
    try {
      parseDsn(dsn)
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain(why)
    expect(message).toContain('postgres://user:password@host:5432/database')
    expect(message.replaceAll('holds hidden', '')).not.toContain('hid')
  })

  it('gives back any password and shows it nowhere', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6, maxLength: 40 }), text => {
        const password = `~${text}~`
        const url = parseDsn(`postgres://ann:${encodeURIComponent(password)}@db:5432/shop`)
        const escaped = password.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
        const pairs = parseDsn(`host=db user=ann dbname=shop password='${escaped}'`)
        expect([url.password, pairs.password]).toEqual([password, password])
        expect(url.shown).toBe('postgres://ann@db:5432/shop')
        expect(pairs.shown).toBe(url.shown)
      }),
    )
  })
})
