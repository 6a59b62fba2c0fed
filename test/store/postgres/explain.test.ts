import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import { explain, explained, passes } from '../../../src/store/postgres/explain.ts'

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}

describe('what a server fails with', () => {
  it.each([
    ['53100', 'could not extend file', 'disk_full', 'free some there', true],
    ['53300', 'too many clients already', 'store_busy', 'lower DB_MAX_OPEN_CONNS', true],
    ['53200', 'out of memory', 'store_busy', 'out of resources', true],
    ['57P03', 'the database system is starting up', 'store_unreachable', 'starting up', true],
    ['57P01', 'terminating connection', 'store_unreachable', 'tried again', true],
    ['08006', 'connection failure', 'store_unreachable', 'tried again', true],
    ['25006', 'cannot execute INSERT in a read-only transaction', 'store_standby', 'primary', true],
    ['57014', 'canceling statement due to statement timeout', 'store_slow', 'tried again', true],
    ['55P03', 'canceling statement due to lock timeout', 'store_busy', 'lock', true],
    ['28P01', 'password authentication failed for user "ann"', 'store_refused', 'DB_DSN', false],
    [
      '28000',
      'no pg_hba.conf entry for host "::1", no encryption',
      'store_refused',
      'sslmode=require',
      false,
    ],
    ['28000', 'role "ann" is not permitted to log in', 'store_refused', 'pg_hba.conf', false],
    ['3D000', 'database "shop" does not exist', 'no_database', 'CREATE DATABASE', false],
    ['42501', 'permission denied for database shop', 'no_rights', 'CREATE SCHEMA otelcontext', false],
    ['42P01', 'relation "otelcontext.store" does not exist', 'no_schema', 'restore', false],
    ['XX001', 'invalid page in block 3', 'corrupt_store', 'restore a backup', false],
    ['22P02', 'invalid input syntax', 'store_failed', '22P02', false],
    ['ECONNRESET', 'read ECONNRESET', 'store_unreachable', 'ECONNRESET', true],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND db', 'store_unreachable', 'DB_DSN names it', true],
    ['EPIPE', 'write EPIPE', 'store_unreachable', 'EPIPE', true],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate', 'store_refused', 'sslrootcert', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname does not match', 'store_refused', 'sslrootcert', false],
    ['', 'Connection terminated unexpectedly', 'store_unreachable', 'was lost', true],
    ['', 'Query read timeout', 'store_unreachable', 'was lost', true],
    ['', 'The server does not support SSL connections', 'store_refused', 'sslmode=disable', false],
    [
      '',
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
      'store_refused',
      'PGPASSWORD',
      false,
    ],
  ])('%s %s becomes %s with the remedy', (code, message, expected, remedy, passing) => {
    const error = explain('postgres://ann@db:5432/shop', failure(message, code === '' ? undefined : code))
    expect(error).toBeInstanceOf(StoreError)
    expect(error).toMatchObject({ code: expected, message: expect.stringContaining(remedy) })
    expect(String(error)).toContain('postgres://ann@db:5432/shop')
    expect(passes(error)).toBe(passing)
  })

  it('is that of the first address where a name has several', () => {
    const both = new AggregateError([failure('connect', 'ECONNREFUSED'), failure('connect', 'ECONNREFUSED')])
    expect(explain('here', both)).toMatchObject({ code: 'store_unreachable' })
  })

  it('is passed on where it is a bug of ours, a refusal of ours, or a call that was given up', async () => {
    const bug = new TypeError('x is not a function')
    const own = new StoreError('missing_segment', 'gone')
    const given = AbortSignal.abort().reason as unknown
    for (const error of [bug, own, given])
      await expect(explained('here', () => Promise.reject(error))).rejects.toBe(error)
  })
})
