/**
 * Every setting of the process, once: name, form, default, meaning. The README's table, `otelcontext config`
 * and the start-up checks are all made from `settings`, so that they cannot drift apart.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { ConfigurationError } from './errors.ts'
import { tenantProblem } from './model/auth.ts'
import type { StoreLocation } from './model/store-location.ts'
import { type ToolsetName, toolsetNames } from './model/tool.ts'

const mebibyte = 1024 * 1024

const text = z.string()
const whole = (min: number, max: number) => {
  const message = `expected a whole number from ${min} to ${max}`
  return z.coerce.number(message).int(message).min(min, message).max(max, message)
}
const port = whole(0, 65535)
const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0']))
  .transform(value => value === 'true' || value === '1')
const list = z.string().transform(value =>
  value
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== ''),
)

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `300ms`, `30s`, `5m`, `1h`, `7d`, or 0; in milliseconds. */
const duration = z
  .string()
  .regex(/^(0|\d+(ms|s|m|h|d))$/, 'expected a duration such as 300ms, 30s, 5m, 1h or 7d')
  .transform(value => {
    const unit = /[a-z]+$/.exec(value)?.[0] ?? 'ms'
    return Number.parseInt(value, 10) * (durationUnits[unit] ?? 1)
  })

const optionalWhole = (min: number, max: number) =>
  z.string().transform((value, context) => {
    if (value === '') return null
    const parsed = whole(min, max).safeParse(value)
    if (parsed.success) return parsed.data
    context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? '' })
    return z.NEVER
  })

export interface Setting<T = unknown> {
  readonly group: string
  /** As it would be written in the environment. */
  readonly fallback: string
  readonly meaning: string
  readonly secret: boolean
  readonly form: z.ZodType<T, string>
}

/** Values as configured, by setting name. Bytes, milliseconds and days as the name says. */
export interface SettingValues {
  readonly APP_ENV: string
  readonly DATA_DIR: string
  readonly LOG_LEVEL: string
  readonly HTTP_PORT: number
  readonly GRPC_PORT: number
  readonly OTLP_HTTP_PORT: number
  readonly BIND_ADDRESS: string
  readonly DB_DRIVER: 'sqlite' | 'postgres'
  readonly DB_DSN: string
  readonly DB_AUTOMIGRATE: boolean
  readonly DB_MAX_OPEN_CONNS: number
  readonly DB_CONN_MAX_LIFETIME: number
  readonly DB_POSTGRES_PARTITIONING: '' | 'daily'
  readonly DB_PARTITION_LOOKAHEAD_DAYS: number
  readonly OTELCONTEXT_ALLOW_SQLITE_PROD: boolean
  readonly API_KEY: string
  readonly ALLOW_UNAUTHENTICATED: boolean
  readonly ALLOWED_HOSTS: readonly string[]
  readonly DEFAULT_TENANT: string
  readonly OTLP_TRUST_RESOURCE_TENANT: boolean
  readonly API_RATE_LIMIT_RPS: number
  readonly CORS_ALLOWED_ORIGINS: readonly string[]
  readonly INBOX_MAX_BYTES: number | null
  readonly INBOX_KEEP_SEALED: number
  readonly OTLP_HTTP_MAX_BODY_MB: number
  readonly GRPC_MAX_RECV_MB: number
  readonly GRPC_MAX_CONCURRENT_STREAMS: number
  readonly DECOMPRESSION_BUDGET_MB: number
  readonly ATTRIBUTE_MAX_BYTES: number
  readonly INGEST_PIPELINE_QUEUE_SIZE: number
  readonly INGEST_PIPELINE_MAX_BYTES: number
  readonly HOT_RETENTION_DAYS: number
  readonly RETENTION_TRACES_DAYS: number | null
  readonly RETENTION_LOGS_DAYS: number | null
  readonly RETENTION_METRICS_DAYS: number | null
  readonly DATA_DISK_BUDGET_MB: number | null
  readonly DLQ_PATH: string
  readonly DLQ_MAX_FILES: number
  readonly DLQ_MAX_DISK_MB: number
  readonly METRIC_MAX_CARDINALITY: number
  readonly METRIC_MAX_CARDINALITY_PER_TENANT: number
  readonly MCP_ENABLED: boolean
  readonly MCP_PATH: string
  readonly MCP_MAX_CONCURRENT: number
  readonly MCP_CALL_TIMEOUT_MS: number
  readonly MCP_CACHE_TTL_MS: number
  readonly MCP_TOOLSETS: readonly ToolsetName[]
  readonly VECTOR_INDEX_MAX_ENTRIES: number
}

export type SettingName = keyof SettingValues

const setting = <T>(
  group: string,
  form: z.ZodType<T, string>,
  fallback: string,
  meaning: string,
  secret = false,
): Setting<T> => ({ group, form, fallback, meaning, secret })

// zod's coercing schemas accept unknown input; these only ever see strings.
const fromText = <T>(form: z.ZodType<T>): z.ZodType<T, string> =>
  z
    .string()
    .trim()
    .min(1)
    .pipe(form as z.ZodType<T, string>)

export const settings: { readonly [K in SettingName]: Setting<SettingValues[K]> } = {
  APP_ENV: setting(
    'process',
    text,
    'development',
    'Name of the deployment. `production` with SQLite must be allowed by OTELCONTEXT_ALLOW_SQLITE_PROD.',
  ),
  DATA_DIR: setting(
    'process',
    text,
    './data',
    'Directory of everything that is stored; created with mode 0700.',
  ),
  LOG_LEVEL: setting(
    'process',
    z
      .string()
      .toUpperCase()
      .pipe(z.enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'SILENT'])),
    'INFO',
    'Least severe event that is logged.',
  ),
  HTTP_PORT: setting(
    'process',
    fromText(port),
    '8080',
    'MCP, OTLP/HTTP, health, metrics. 0 picks a free port.',
  ),
  GRPC_PORT: setting('process', fromText(port), '4317', 'OTLP/gRPC. 0 picks a free port.'),
  OTLP_HTTP_PORT: setting('process', fromText(port), '4318', 'OTLP/HTTP. 0 picks a free port.'),
  BIND_ADDRESS: setting(
    'process',
    text,
    '',
    'Address to listen on. Empty: 127.0.0.1 without an API key, 0.0.0.0 with one.',
  ),
  DB_DRIVER: setting(
    'store',
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(['sqlite', 'postgres'])),
    'sqlite',
    'Store: `sqlite`, or `postgres` for a server of your own.',
  ),
  DB_DSN: setting(
    'store',
    text,
    '',
    'SQLite: the database file; empty: `$DATA_DIR/otelcontext.db`. Postgres: `postgres://user:password@host:5432/database?sslmode=verify-full`, or `key=value` pairs.',
    true,
  ),
  DB_AUTOMIGRATE: setting(
    'store',
    flag,
    'true',
    'Bring the schema up to date at start; `false` refuses to start on an older one.',
  ),
  DB_MAX_OPEN_CONNS: setting(
    'store',
    fromText(whole(14, 1_000)),
    '20',
    'Postgres: connections at most, one of them for writing.',
  ),
  DB_CONN_MAX_LIFETIME: setting(
    'store',
    duration,
    '1h',
    'Postgres: age at which a connection is replaced. 0: never.',
  ),
  DB_POSTGRES_PARTITIONING: setting(
    'store',
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(['', 'daily'])),
    '',
    'Postgres: `daily` keeps segment bytes in a partition per signal and day of receipt, dropped whole. Only for an empty database.',
  ),
  DB_PARTITION_LOOKAHEAD_DAYS: setting(
    'store',
    fromText(whole(0, 30)),
    '3',
    'Postgres: days for which partitions are made in advance.',
  ),
  OTELCONTEXT_ALLOW_SQLITE_PROD: setting(
    'store',
    flag,
    'false',
    'Allow SQLite when APP_ENV is `production`.',
  ),
  API_KEY: setting(
    'security',
    text,
    '',
    'Operator key for ingest, reading and operations; may name a tenant. Empty: loopback only, no key.',
    true,
  ),
  ALLOW_UNAUTHENTICATED: setting(
    'security',
    flag,
    'false',
    'Allow a BIND_ADDRESS beyond the loopback without an API key.',
  ),
  ALLOWED_HOSTS: setting(
    'security',
    list,
    '',
    'Host names, beside the loopback and BIND_ADDRESS, under which callers without a key may address this server.',
  ),
  DEFAULT_TENANT: setting('security', text, 'default', 'Tenant of data and questions that name none.'),
  OTLP_TRUST_RESOURCE_TENANT: setting(
    'security',
    flag,
    'false',
    'Take the tenant from the resource attribute `tenant.id`.',
  ),
  API_RATE_LIMIT_RPS: setting(
    'security',
    fromText(whole(1, 1_000_000)),
    '100',
    'Requests per second and key, OTLP and probes excepted.',
  ),
  CORS_ALLOWED_ORIGINS: setting(
    'security',
    list,
    '',
    'Origins whose pages may send OTLP or call MCP from a browser.',
  ),
  INBOX_MAX_BYTES: setting(
    'ingest',
    optionalWhole(mebibyte, 2 ** 50),
    '',
    'Bound of the durable inbox. Empty: 4 GiB or a fifth of the free disk, the smaller; with DATA_DISK_BUDGET_MB a quarter of that.',
  ),
  INBOX_KEEP_SEALED: setting('ingest', duration, '0', 'How long sealed inbox entries are kept.'),
  OTLP_HTTP_MAX_BODY_MB: setting(
    'ingest',
    fromText(whole(1, 512)),
    '64',
    'Largest OTLP/HTTP request, before and after decompression.',
  ),
  GRPC_MAX_RECV_MB: setting(
    'ingest',
    fromText(whole(1, 512)),
    '16',
    'Largest OTLP/gRPC message, before and after decompression.',
  ),
  GRPC_MAX_CONCURRENT_STREAMS: setting(
    'ingest',
    fromText(whole(1, 100_000)),
    '1000',
    'Concurrent gRPC calls per connection.',
  ),
  DECOMPRESSION_BUDGET_MB: setting(
    'ingest',
    fromText(whole(1, 4096)),
    '128',
    'Decompressed bytes of all requests in work together.',
  ),
  ATTRIBUTE_MAX_BYTES: setting(
    'ingest',
    fromText(whole(64, 16 * mebibyte)),
    '65536',
    'Longest attribute value; longer ones are cut and marked.',
  ),
  INGEST_PIPELINE_QUEUE_SIZE: setting(
    'ingest',
    fromText(whole(1, 10_000_000)),
    '50000',
    'Requests that may wait for the commit.',
  ),
  INGEST_PIPELINE_MAX_BYTES: setting(
    'ingest',
    fromText(whole(mebibyte, 2 ** 40)),
    String(128 * mebibyte),
    'Bytes that may be arriving, and as many that may wait for the commit.',
  ),
  HOT_RETENTION_DAYS: setting(
    'retention',
    fromText(whole(1, 36_500)),
    '7',
    'Days that telemetry is kept, counted from its receipt.',
  ),
  RETENTION_TRACES_DAYS: setting(
    'retention',
    optionalWhole(1, 36_500),
    '',
    'The same for traces alone. Empty: HOT_RETENTION_DAYS.',
  ),
  RETENTION_LOGS_DAYS: setting('retention', optionalWhole(1, 36_500), '', 'The same for logs alone.'),
  RETENTION_METRICS_DAYS: setting('retention', optionalWhole(1, 36_500), '', 'The same for metrics alone.'),
  DATA_DISK_BUDGET_MB: setting(
    'retention',
    optionalWhole(256, 2 ** 30),
    '',
    'Disk that store, inbox and dead letters may take together; past 95 % of it the oldest segments go, of the signal and tenant with the most bytes. Empty: no bound.',
  ),
  DLQ_PATH: setting(
    'dead letters',
    text,
    '',
    'Directory of entries that could not be processed. Empty: `$DATA_DIR/dlq`.',
  ),
  DLQ_MAX_FILES: setting(
    'dead letters',
    fromText(whole(1, 1_000_000)),
    '1000',
    'Dead-letter files; past it entries stay in the inbox, flagged. Nothing is evicted.',
  ),
  DLQ_MAX_DISK_MB: setting(
    'dead letters',
    fromText(whole(1, 1_048_576)),
    '500',
    'Bytes of dead letters; past it the same.',
  ),
  METRIC_MAX_CARDINALITY: setting(
    'graph',
    fromText(whole(100, 10_000_000)),
    '10000',
    'Metric series of all tenants in rollups; points beyond are stored, and counted as overflow.',
  ),
  METRIC_MAX_CARDINALITY_PER_TENANT: setting(
    'graph',
    fromText(whole(0, 10_000_000)),
    '0',
    'The same for one tenant. 0: a tenant alone may have all; where there are several, each keeps a share.',
  ),
  MCP_ENABLED: setting(
    'MCP',
    flag,
    'true',
    'Serve MCP over HTTP to others than the shell commands and `otelcontext mcp` of this machine.',
  ),
  MCP_PATH: setting(
    'MCP',
    z.string().regex(/^\/[\w./-]*$/, 'expected a path such as /mcp'),
    '/mcp',
    'Path of MCP over HTTP.',
  ),
  MCP_MAX_CONCURRENT: setting(
    'MCP',
    fromText(whole(0, 10_000)),
    '32',
    'Tool calls running at once; further ones are refused at once. 0: no limit.',
  ),
  MCP_CALL_TIMEOUT_MS: setting(
    'MCP',
    fromText(whole(0, 3_600_000)),
    '30000',
    'Longest tool call, in milliseconds. 0: no limit.',
  ),
  MCP_CACHE_TTL_MS: setting(
    'MCP',
    fromText(whole(0, 3_600_000)),
    '5000',
    'How long answers of the cheap graph tools are reused, in milliseconds. 0: never.',
  ),
  MCP_TOOLSETS: setting(
    'MCP',
    list.pipe(z.array(z.enum(toolsetNames))),
    '',
    `Further tools to offer, by set, separated by commas: ${toolsetNames.map(name => `\`${name}\``).join(', ')}.`,
  ),
  VECTOR_INDEX_MAX_ENTRIES: setting(
    'MCP',
    fromText(whole(100, 1_000_000)),
    '100000',
    'Log templates, error shapes and incidents that one search for similar ones compares at most.',
  ),
}

/** Accepted because operators know them; they have no mechanism here. Value: what bounds the same thing instead. */
const mapped: Readonly<Record<string, string>> = {
  INGEST_ASYNC_ENABLED: 'the durable inbox is always on',
  INGEST_PIPELINE_WORKERS: 'one inbox worker commits in groups; INGEST_PIPELINE_MAX_BYTES bounds what waits',
  GRAPHRAG_WORKER_COUNT: 'one engine worker; its lag is bounded by INBOX_MAX_BYTES',
  GRAPHRAG_EVENT_QUEUE_SIZE: 'the inbox takes the place of the queue; INBOX_MAX_BYTES bounds it',
  RETENTION_BATCH_SIZE: 'whole segments are dropped, a few per transaction',
  RETENTION_BATCH_SLEEP_MS: 'retention is paced by the engine worker',
}

/** Settings of capabilities this version does not have. Ignoring them in silence could expose or lose data. */
const unavailable: readonly string[] = [
  'API_TENANT_KEYS_FILE',
  'TLS_CERT_FILE',
  'TLS_KEY_FILE',
  'TLS_AUTO_SELFSIGNED',
  'DB_AZURE_AUTH',
  'INGEST_SHED_HEALTHY',
  'INGEST_ALLOWED_SERVICES',
  'INGEST_EXCLUDED_SERVICES',
]

export type SettingSource = 'default' | 'environment' | 'file'

export interface Configuration {
  readonly values: SettingValues
  readonly sources: Readonly<Record<SettingName, SettingSource>>
  /** Address the listeners bind. */
  readonly bindAddress: string
  /** Absolute. */
  readonly dataDirectory: string
  readonly store: StoreLocation
  readonly deadLetterDirectory: string
  /** Said once at start. */
  readonly warnings: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

const names = Object.keys(settings) as readonly SettingName[] // keys of a const object

/**
 * Reads `.env` of `directory` if there is one, then `environment`, which wins.
 * Throws ConfigurationError with every problem found.
 */
export function readConfiguration(environment: Environment, directory: string): Configuration {
  const file = readEnvironmentFile(join(directory, '.env'))
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  const sources: Record<string, SettingSource> = {}
  for (const name of names) {
    const chosen = environment[name] ?? file[name]
    sources[name] =
      environment[name] !== undefined ? 'environment' : file[name] !== undefined ? 'file' : 'default'
    const definition: Setting = settings[name]
    const parsed = definition.form.safeParse(chosen ?? definition.fallback)
    if (parsed.success) values[name] = parsed.data
    else problems.push(describeProblem(name, definition, chosen ?? '', parsed.error))
  }
  const given = (name: string): boolean => ((environment[name] ?? file[name] ?? '') as string) !== ''
  const harmless = new Set(['false', '0', ''])
  for (const name of unavailable) {
    if (given(name) && !harmless.has((environment[name] ?? file[name] ?? '').toLowerCase())) {
      problems.push(`${name} is set, but this version does not have it; unset it`)
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  const warnings = Object.keys(mapped)
    .filter(given)
    .map(name => `${name} has no mechanism of its own here: ${mapped[name]}`)
  // Every name was parsed above by its own form.
  return complete(
    values as unknown as SettingValues,
    sources as Record<SettingName, SettingSource>,
    warnings,
    directory,
  )
}

function complete(
  values: SettingValues,
  sources: Readonly<Record<SettingName, SettingSource>>,
  warnings: readonly string[],
  directory: string,
): Configuration {
  const dataDirectory = resolve(directory, values.DATA_DIR)
  const bindAddress =
    values.BIND_ADDRESS !== '' ? values.BIND_ADDRESS : values.API_KEY === '' ? '127.0.0.1' : '0.0.0.0'
  const problems: string[] = []
  const open = values.API_KEY === '' && !isLoopback(bindAddress)
  if (open && !values.ALLOW_UNAUTHENTICATED) {
    problems.push(
      `BIND_ADDRESS ${bindAddress} lets other machines in without a key; set API_KEY, or ALLOW_UNAUTHENTICATED=true to accept that`,
    )
  }
  if (values.API_KEY !== '' && values.API_KEY.length < 16) {
    problems.push(`API_KEY has ${values.API_KEY.length} characters; use at least 16, better 32 random ones`)
  }
  const store = storeOf(values, dataDirectory, directory)
  const storeProblem = problemOf(store)
  if (storeProblem !== null) problems.push(storeProblem)
  if (store.driver === 'sqlite' && values.APP_ENV === 'production' && !values.OTELCONTEXT_ALLOW_SQLITE_PROD) {
    problems.push(
      'APP_ENV is production and the store is SQLite, which has a single writer on one machine; set OTELCONTEXT_ALLOW_SQLITE_PROD=true to accept that',
    )
  }
  const badTenant = tenantProblem(values.DEFAULT_TENANT)
  if (badTenant !== null) problems.push(`DEFAULT_TENANT ${badTenant}`)
  if (problems.length > 0) throw new ConfigurationError(problems)
  return {
    values,
    sources,
    bindAddress,
    dataDirectory,
    store,
    deadLetterDirectory:
      values.DLQ_PATH === '' ? join(dataDirectory, 'dlq') : resolve(directory, values.DLQ_PATH),
    warnings: open
      ? [...warnings, `listening on ${bindAddress} without a key: anyone who reaches it may read and write`]
      : warnings,
  }
}

/** Readers of this process: four query workers at most, one for exports, the engine. */
const readers = 6

function storeOf(values: SettingValues, dataDirectory: string, directory: string): StoreLocation {
  if (values.DB_DRIVER === 'sqlite') {
    const file = values.DB_DSN === '' ? join(dataDirectory, 'otelcontext.db') : values.DB_DSN
    const absolute = isServer(file) ? file : resolve(directory, file)
    return { driver: 'sqlite', file: absolute, migrate: values.DB_AUTOMIGRATE }
  }
  return {
    driver: 'postgres',
    dsn: values.DB_DSN,
    migrate: values.DB_AUTOMIGRATE,
    partitioning: values.DB_POSTGRES_PARTITIONING,
    lookaheadDays: values.DB_PARTITION_LOOKAHEAD_DAYS,
    maxConnections: values.DB_MAX_OPEN_CONNS,
    readConnections: Math.floor((values.DB_MAX_OPEN_CONNS - 1) / readers),
    connectionLifetimeMs: values.DB_CONN_MAX_LIFETIME,
  }
}

function isServer(dsn: string): boolean {
  return /^postgres(ql)?:\/\//.test(dsn)
}

function problemOf(store: StoreLocation): string | null {
  if (store.driver === 'sqlite')
    return isServer(store.file)
      ? 'DB_DSN names a Postgres server and DB_DRIVER is sqlite; set DB_DRIVER=postgres'
      : null
  return store.dsn === ''
    ? 'DB_DRIVER is postgres and DB_DSN is empty; set it to postgres://user:password@host:5432/database?sslmode=verify-full'
    : null
}

function describeProblem(name: string, definition: Setting, value: string, error: z.ZodError): string {
  const shown = definition.secret === true ? 'its value' : `"${value}"`
  const why = error.issues
    .map(issue => issue.message.charAt(0).toLowerCase() + issue.message.slice(1))
    .join('; ')
  const fallback =
    definition.fallback === '' ? 'unset it to use the default' : `the default is ${definition.fallback}`
  return `${name}: ${shown} is not usable: ${why}; ${fallback}`
}

function readEnvironmentFile(file: string): Environment {
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address)
}
