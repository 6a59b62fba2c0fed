/** What Postgres and the way to it fail with, as one sentence with the remedy. */
import { StoreError } from '../../errors.ts'

interface Fault {
  readonly code: string
  readonly message: string
}

/** Faults that pass by themselves or by somebody mending the server; everything else needs another setting. */
const passing = new Set([
  'store_unreachable',
  'store_busy',
  // The session of a process that was killed, or of the one this is to replace.
  'store_owned',
  'store_standby',
  'store_slow',
  'disk_full',
])

/** Whether trying again later, with the same settings, may succeed. */
export function passes(error: unknown): boolean {
  return error instanceof StoreError && passing.has(error.code)
}

/** Runs `work`; what the driver throws becomes a StoreError that says what to do. `shown` names the server. */
export async function explained<T>(shown: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(shown, error)
  }
}

export function explain(shown: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error
  // A host name of several addresses fails with one error for each.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  if (first.name === 'AbortError') return error
  const code = 'code' in first && typeof first.code === 'string' ? first.code : ''
  const fault = byState(code, first.message) ?? byNetwork(code, first.message)
  if (fault !== null) return new StoreError(fault.code, `${shown} ${fault.message}`, { cause: error })
  // Anything without an SQLSTATE is a bug of ours.
  if (!/^[0-9A-Z]{5}$/.test(code)) return error
  return new StoreError('store_failed', `${shown} failed with ${code}: ${first.message}`, { cause: error })
}

const later = 'it is tried again'

function byState(code: string, message: string): Fault | null {
  switch (code) {
    case '28P01':
      return fault('store_refused', 'refuses the password; correct it in DB_DSN')
    case '28000':
      return /no encryption|SSL off/.test(message)
        ? fault('store_refused', 'refuses connections without TLS; set sslmode=require in DB_DSN')
        : fault('store_refused', `refuses this user (${message}); correct DB_DSN, or pg_hba.conf there`)
    case '3D000':
      return fault('no_database', 'has no such database; run CREATE DATABASE there, or correct DB_DSN')
    case '42501':
      return fault(
        'no_rights',
        `denies rights (${message}); have the owner of the database run CREATE SCHEMA otelcontext AUTHORIZATION with the user of DB_DSN`,
      )
    case '3F000':
    case '42P01':
      return fault(
        'no_schema',
        'has lost the tables of schema otelcontext; restore them, or restart to make new ones',
      )
    case '53100':
      return fault('disk_full', `has no disk space left; free some there, ${later}`)
    case '53300':
      return fault(
        'store_busy',
        `has no connection left; lower DB_MAX_OPEN_CONNS or raise max_connections there, ${later}`,
      )
    case '55P03':
    case '40P01':
    case '40001':
      return fault('store_busy', `holds a lock that did not come free; ${later}`)
    case '57014':
      return fault('store_slow', `took too long and was given up; ${later}`)
    case '25006':
      return fault('store_standby', `is read-only, as a standby is; point DB_DSN to the primary, ${later}`)
    case 'XX001':
    case 'XX002':
      return fault('corrupt_store', 'reports damaged data; check its disk and restore a backup')
  }
  // 08: connection exceptions; 57P: shut down, crashed, starting up; 53: out of memory and the like.
  if (code.startsWith('08') || code.startsWith('57P'))
    return fault('store_unreachable', `is not available (${message}); ${later}`)
  if (/^53...$/.test(code)) return fault('store_busy', `is out of resources (${message}); ${later}`)
  return null
}

const lost =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired|Query read timeout|Connection ended)/

function byNetwork(code: string, message: string): Fault | null {
  if (/^E[A-Z]{3,}$/.test(code) && !code.startsWith('ERR_'))
    return fault(
      'store_unreachable',
      `cannot be reached (${code}); check that it runs and that DB_DSN names it, ${later}`,
    )
  if (lost.test(message)) return fault('store_unreachable', `was lost (${message.toLowerCase()}); ${later}`)
  if (message.includes('does not support SSL'))
    return fault(
      'store_refused',
      'has no TLS, which the sslmode of DB_DSN asks for; set up TLS there, or set sslmode=disable to send everything in the clear',
    )
  if (message.startsWith('SASL:') || message.includes('password must be a string'))
    return fault(
      'store_refused',
      'asks for a password that DB_DSN does not hold; add it there, or set PGPASSWORD',
    )
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code))
    return fault(
      'store_refused',
      `has a certificate that is not trusted (${code}); name its authority as sslrootcert in DB_DSN, or set sslmode=require to encrypt without that check`,
    )
  return null
}

function fault(code: string, message: string): Fault {
  return { code, message }
}
