/**
 * `DB_DSN` of Postgres as URL or as `key=value` pairs. Messages name the part that is wrong and never the
 * value, which may be a password.
 *
 * Source: PostgreSQL documentation, 32.1.1 "Connection Strings" and 32.19 "SSL Support".
 */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { StoreError } from '../../errors.ts'

export interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly ssl: false | ConnectionOptions
  /** What messages call it: `postgres://user@host:port/database`, without the password. */
  readonly shown: string
}

const example = 'postgres://user:password@host:5432/database?sslmode=verify-full'
const known = ['host', 'port', 'user', 'password', 'dbname', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey']
/** Harmless here: we set our own, or have none. */
const ignored = ['application_name', 'connect_timeout', 'timezone', 'client_encoding', 'channel_binding']
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/** Throws StoreError `bad_dsn`, one sentence with the remedy. */
export function parseDsn(dsn: string): ServerAddress {
  const values = /^postgres(ql)?:\/\//.test(dsn) ? readUrl(dsn) : readPairs(dsn)
  for (const name of values.keys())
    if (!known.includes(name) && !ignored.includes(name.toLowerCase()))
      throw bad(`holds ${/^\w{1,40}$/.test(name) ? name : 'a name'}, which this version does not know`)
  const host = values.get('host') || 'localhost'
  if (host.includes(',')) throw bad('names several hosts, and this version follows one name or address')
  const port = Number(values.get('port') || 5432)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw bad('has a port that is no port')
  const user = values.get('user') || undefined
  const database = values.get('dbname') || undefined
  const where = host.startsWith('/') ? `[${host}]` : host.includes(':') ? `[${host}]` : host
  return {
    host,
    port,
    user,
    password: values.get('password') || undefined,
    database,
    ssl: tlsOf(values, host),
    shown: `postgres://${user === undefined ? '' : `${user}@`}${where}:${port}/${database ?? user ?? ''}`,
  }
}

function bad(what: string): StoreError {
  return new StoreError('bad_dsn', `DB_DSN ${what}; write it as ${example}`)
}

function readUrl(dsn: string): Map<string, string> {
  // The last @ ends the password: one that holds @ or / as it is shall not end up in a host name.
  const match = /^postgres(?:ql)?:\/\/(?:(.*)@)?([^@/?]*)(?:\/([^?@]*))?(?:\?([^@]*))?$/.exec(dsn)
  if (match === null) throw bad('is not a URL of the form expected')
  const [, account = '', authority = '', database = '', query = ''] = match
  const values = new Map<string, string>()
  const split = account.indexOf(':')
  values.set('user', decode(split < 0 ? account : account.slice(0, split)))
  if (split >= 0) values.set('password', decode(account.slice(split + 1)))
  const place = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority)
  if (place === null && !authority.includes(',')) throw bad('has no host and port that can be read')
  values.set('host', decode((place?.[1] ?? authority).replace(/^\[|\]$/g, '')))
  values.set('port', place?.[2] ?? '')
  values.set('dbname', decode(database))
  for (const [name, value] of new URLSearchParams(query)) values.set(name, value)
  return values
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw bad('holds a % that is not followed by two hex digits (write a % in a password as %25)')
  }
}

/** `key = value`, values in single quotes where they hold spaces, `\'` and `\\` inside. */
function readPairs(dsn: string): Map<string, string> {
  const values = new Map<string, string>()
  const pair = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/y
  let at = 0
  while (at < dsn.trimEnd().length) {
    pair.lastIndex = at
    const match = pair.exec(dsn)
    if (match === null) throw bad('is neither a URL nor pairs of the form key=value')
    values.set(match[1] ?? '', (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/g, '$1'))
    at = pair.lastIndex
  }
  if (values.size === 0) throw bad('is empty')
  return values
}

/**
 * As libpq reads `sslmode`, but never less than asked for: without a mode, or with `allow` and `prefer`, a
 * server on this machine is spoken to in the clear and any other must have TLS.
 */
function tlsOf(values: ReadonlyMap<string, string>, host: string): false | ConnectionOptions {
  const mode = values.get('sslmode') || 'prefer'
  if (!sslModes.includes(mode)) throw bad(`has an sslmode that is none of ${sslModes.join(', ')}`)
  const here = host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host)
  if (mode === 'disable' || host.startsWith('/')) return false
  if ((mode === 'allow' || mode === 'prefer') && here) return false
  const files: ConnectionOptions = {
    ...fileOption(values, 'sslrootcert', 'ca'),
    ...fileOption(values, 'sslcert', 'cert'),
    ...fileOption(values, 'sslkey', 'key'),
  }
  if (mode === 'verify-full') return { ...files, rejectUnauthorized: true }
  // libpq checks the authority with `require` too if it is given one.
  if (mode === 'verify-ca' || files.ca !== undefined)
    return { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  return { ...files, rejectUnauthorized: false }
}

function fileOption(
  values: ReadonlyMap<string, string>,
  name: string,
  option: 'ca' | 'cert' | 'key',
): ConnectionOptions {
  const file = values.get(name) ?? ''
  // `system` is libpq's word for the authorities of the machine, which Node trusts by default.
  if (file === '' || file === 'system') return {}
  try {
    return { [option]: readFileSync(file, 'utf8') }
  } catch {
    throw bad(`names a file for ${name} that cannot be read`)
  }
}
