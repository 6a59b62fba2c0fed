/** Connections to the server: how they are set up, whose the schema is, how durable it writes. */
import pg, { Client, type ClientBase, type ClientConfig, type CustomTypesConfig } from 'pg'
import { StoreError } from '../../errors.ts'
import { parseDsn, type ServerAddress } from './dsn.ts'
import { schemaVersion } from './schema.ts'

/** Longer than any server that is there needs for a handshake. */
export const connectTimeoutMs = 5_000
/** A server that is cut off without a word is noticed after so long, by either side. */
const keepAliveMs = 10_000
/** Beyond the server's own limit on a statement, the way to it is taken for dead. */
const graceMs = 5_000

export interface SessionLimits {
  /** Longest statement, milliseconds. */
  readonly statementMs: number
  /** Longest wait for a lock. */
  readonly lockMs: number
  /** Longest silence inside of a transaction. */
  readonly idleMs: number
}

/** int8 as a number: positions, counts and bytes stay far below 2^53. */
const types: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

export interface Database {
  readonly address: ServerAddress
  readonly config: ClientConfig
  readonly limits: SessionLimits
}

/** Throws StoreError `bad_dsn`. */
export function databaseAt(dsn: string, limits: SessionLimits): Database {
  const address = parseDsn(dsn)
  const { host, port, user, password, database, ssl } = address
  const config: ClientConfig = {
    host,
    port,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ssl,
    types,
    application_name: 'otelcontext',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: limits.statementMs + graceMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
  }
  return { address, config, limits }
}

/** A connection of its own; the caller ends it. */
export async function connect(database: Database): Promise<Client> {
  const client = new Client(database.config)
  // Without a listener, a connection that breaks while nothing runs would end the process. What runs next fails.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await prepareSession(client, database.limits)
    return client
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
}

/** Statements instead of start-up parameters, which some poolers refuse. */
export async function prepareSession(client: ClientBase, limits: SessionLimits): Promise<void> {
  const { statementMs, lockMs, idleMs } = limits
  await client.query(
    `SET statement_timeout = ${statementMs}; SET lock_timeout = ${lockMs};
     SET idle_in_transaction_session_timeout = ${idleMs};
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3`,
  )
}

/** Throws StoreError if a commit there does not mean that the data is on disk. */
export async function checkDurability(client: ClientBase, shown: string): Promise<void> {
  const { rows } = await client.query<{
    readonly commit: string
    readonly fsync: string
    readonly encoding: string
    readonly standby: boolean
  }>(
    `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync,
       current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby`,
  )
  const found = rows[0]
  if (found?.standby === true)
    throw new StoreError(
      'store_standby',
      `${shown} is a standby; point DB_DSN to the primary, it is tried again`,
    )
  if (found?.commit === 'off')
    throw new StoreError(
      'not_durable',
      `${shown} has synchronous_commit off, so that a commit may be lost; set it on for this user (ALTER ROLE ... SET synchronous_commit = on) or in postgresql.conf`,
    )
  if (found?.fsync === 'off')
    throw new StoreError(
      'not_durable',
      `${shown} runs with fsync off, so that a power failure may destroy it; set fsync = on in postgresql.conf`,
    )
  if (found?.encoding !== 'UTF8')
    throw new StoreError(
      'wrong_encoding',
      `${shown} has the encoding ${found?.encoding}; make the database with ENCODING 'UTF8' TEMPLATE template0`,
    )
}

/** The version of the schema; 0 where there is none. */
export async function readVersion(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ readonly there: boolean }>(
    `SELECT to_regclass('otelcontext.store') IS NOT NULL AS there`,
  )
  if (rows[0]?.there !== true) return 0
  const stored = await client.query<{ readonly version: number }>('SELECT version FROM otelcontext.store')
  return stored.rows[0]?.version ?? 0
}

/** Throws StoreError unless this process can read what is stored there. */
export async function checkIdentity(client: ClientBase, shown: string): Promise<void> {
  const version = await readVersion(client)
  if (version === 0)
    throw new StoreError(
      'no_schema',
      `${shown} has no schema otelcontext; start the server with DB_AUTOMIGRATE=true to make it`,
    )
  refuseNewer(version, shown)
}

export function refuseNewer(version: number, shown: string): void {
  if (version > schemaVersion)
    throw new StoreError(
      'newer_database',
      `${shown} has schema version ${version} and this version knows up to ${schemaVersion}; install the newer version, or set DB_DSN to another database`,
    )
}

/** Sessions of all threads of this process that do something, as the server sees them. */
export async function connectionsInUse(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ readonly sessions: number }>(
    `SELECT count(*) AS sessions FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'otelcontext' AND state <> 'idle'`,
  )
  return rows[0]?.sessions ?? 0
}
