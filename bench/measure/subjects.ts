/** What is measured: each subject is a process of its own, started empty and thrown away. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type CompiledServer, compileServer } from '../../scripts/compiled-server.ts'
import { startPostgres } from '../../scripts/postgres-server.ts'
import { startServerProcess } from '../../scripts/server-process.ts'
import { cpuSecondsOfFamily } from './process-figures.ts'

export interface Subject {
  readonly pid: number
  /** CPU of processes that work for it, seconds since their start. */
  helperCpuSeconds?(): number
  readonly otlpHttpUrl: string
  /** Empty if it has none. */
  readonly grpcAddress: string
  /** MCP and health; empty if it has neither. */
  readonly url: string
  /** Resolves once everything acknowledged is where it stays. */
  settled(): Promise<void>
  /** Ends it and says how many bytes its database takes then; its directory goes unless it was given. */
  finish(): Promise<number>
}

interface ScriptPorts {
  readonly port: number
  readonly grpcPort?: number
}

async function startScript(name: string, args: (directory: string) => readonly string[]): Promise<Subject> {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-bench-'))
  const script = fileURLToPath(new URL(`../subjects/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [script, ...args(directory)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const line = await new Promise<string>(resolve =>
    createInterface({ input: child.stdout }).once('line', resolve),
  )
  const { port, grpcPort } = JSON.parse(line) as ScriptPorts // printed by the script
  return {
    pid: child.pid ?? 0,
    otlpHttpUrl: `http://127.0.0.1:${port}`,
    grpcAddress: grpcPort === undefined ? '' : `127.0.0.1:${grpcPort}`,
    url: '',
    settled: async () => undefined,
    finish: async () => {
      child.kill('SIGTERM')
      await exited
      const bytes = bytesIn(directory, '')
      rmSync(directory, { recursive: true, force: true })
      return bytes
    },
  }
}

/** A: protobufjs, a durable transaction a request, rows with three indexes. B: our decoder, group commit, the same rows. */
export function startRows(mode: 'naive' | 'rows'): Promise<Subject> {
  return startScript('baseline-server', directory => [mode, join(directory, 'spans.db')])
}

/** The way to the acknowledgement alone. */
export function startAcknowledgement(): Promise<Subject> {
  return startScript('ack-server', directory => [directory])
}

/** Bytes kept and nothing else. */
export function startBytes(): Promise<Subject> {
  return startScript('bytes-server', directory => [join(directory, 'bodies.db')])
}

export function startEcho(): Promise<Subject> {
  return startScript('echo-server', () => [])
}

export interface ServerOptions {
  /** Kept where it is given; else a directory of its own, thrown away. */
  readonly dataDirectory?: string
  readonly environment?: Readonly<Record<string, string>>
}

let compiled: CompiledServer | null = null

/** Compiled once a run, and gone with it. */
function compiledEntry(): string {
  if (compiled === null) {
    const server = compileServer()
    process.once('exit', () => server.remove())
    compiled = server
  }
  return compiled.entry
}

/** The whole server, as the package ships it. */
export async function startWhole(options: ServerOptions = {}): Promise<Subject> {
  const directory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'otelcontext-bench-whole-'))
  const server = await startServerProcess({
    dataDirectory: directory,
    entry: compiledEntry(),
    environment: { LOG_LEVEL: 'INFO', API_RATE_LIMIT_RPS: '1000000', ...options.environment },
  })
  return {
    pid: server.pid,
    otlpHttpUrl: server.otlpHttpUrl,
    grpcAddress: server.grpcAddress,
    url: server.url,
    settled: () => settled(server.url),
    finish: async () => {
      await server.stop()
      // The write-ahead log has gone into the file by then.
      const bytes = bytesIn(directory, 'otelcontext.db')
      if (options.dataDirectory === undefined) rmSync(directory, { recursive: true, force: true })
      return bytes
    },
  }
}

/** The whole server on a Postgres of its own, with the settings Postgres comes with. */
export async function startOnPostgres(): Promise<Subject> {
  const postgres = await startPostgres({ shared_buffers: '128MB' })
  const environment = { DB_DRIVER: 'postgres', DB_DSN: postgres.dsn('postgres') }
  const server = await startWhole({ environment })
  return {
    ...server,
    helperCpuSeconds: () => cpuSecondsOfFamily(postgres.pid),
    finish: async () => {
      const [row] = await postgres.run(
        `SELECT sum(pg_total_relation_size(c.oid))::float8 AS bytes FROM pg_class c
         JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'otelcontext' AND relkind = 'r'`,
      )
      await server.finish()
      await postgres.remove()
      return Number(row?.['bytes'])
    },
  }
}

async function settled(url: string): Promise<void> {
  for (let attempt = 0; attempt < 3_000; attempt++) {
    const report = await (await fetch(`${url}/ready`)).text()
    if (/"unsealed_positions":0\b/.test(report)) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('not everything was sealed after 300 s')
}

function bytesIn(directory: string, prefix: string): number {
  return readdirSync(directory)
    .filter(name => name.startsWith(prefix))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}
