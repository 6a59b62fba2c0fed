/** The real server as a child process on free ports, for the demo, benchmarks and tests that need all of it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const repositoryEntry = fileURLToPath(new URL('../bin/otelcontext.js', import.meta.url))
const defaultStartLimitMs = 60_000
const stopTimeoutMs = 12_000

export interface ServerProcessOptions {
  readonly dataDirectory: string
  /** Settings beside the data directory and the ports. */
  readonly environment?: Readonly<Record<string, string>>
  /** The command's file; the one of this repository by default. */
  readonly entry?: string
  readonly nodePath?: string
  /**
   * The process is started at once and told to go, by a line on its stdin, when this resolves; for an entry that
   * loads its code meanwhile. Its time to become ready counts from then.
   */
  readonly hold?: Promise<void>
  /** How long it may take until it is ready, milliseconds. */
  readonly startLimitMs?: number
  /** Gets a SIGKILL for the process as soon as there is one; resolves once it is gone. */
  readonly onChild?: (kill: () => Promise<void>) => void
  /** Gets every log line of the server. */
  readonly onLog?: (line: string) => void
}

export interface ServerProcess {
  readonly pid: number
  /** MCP, OTLP/HTTP, health; without a trailing slash. */
  readonly url: string
  readonly otlpHttpUrl: string
  /** `host:port` of OTLP/gRPC. */
  readonly grpcAddress: string
  readonly child: ChildProcess
  /** SIGTERM, and SIGKILL if that takes too long; resolves with the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
}

interface ReadyEvent {
  readonly event?: string
  readonly http_url?: string
  readonly otlp_http_url?: string
  readonly grpc_address?: string
}

/** Resolves once the server accepts on all ports; rejects with its last log lines if it does not come up. */
export function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const child = spawn(options.nodePath ?? process.execPath, [options.entry ?? repositoryEntry, 'serve'], {
    stdio: [options.hold === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
    env: {
      ...process.env,
      HTTP_PORT: '0',
      GRPC_PORT: '0',
      OTLP_HTTP_PORT: '0',
      DATA_DIR: options.dataDirectory,
      ...options.environment,
    },
  })
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  options.onChild?.(kill)
  const lastLines: string[] = []
  const { startLimitMs = defaultStartLimitMs } = options
  const { stderr } = child
  if (stderr === null) throw new Error('the server has no stderr')
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL')
      reject(new Error(`the server ${why}; its last words:\n${lastLines.join('\n')}`))
    }
    let timer: NodeJS.Timeout | undefined
    const expectReady = (): void => {
      timer = setTimeout(() => fail(`was not ready after ${startLimitMs} ms`), startLimitMs)
    }
    child.once('error', error => fail(`could not be started: ${error.message}`))
    child.stdin?.on('error', () => undefined)
    void exited.then(code => {
      clearTimeout(timer)
      reject(new Error(`the server ended with code ${code}; its last words:\n${lastLines.join('\n')}`))
    })
    if (options.hold === undefined) expectReady()
    else
      void options.hold.then(() => {
        expectReady()
        child.stdin?.end('go\n')
      })
    // Read on for as long as it runs: a full pipe would stop the server.
    createInterface({ input: stderr }).on('line', line => {
      lastLines.push(line)
      if (lastLines.length > 20) lastLines.shift()
      options.onLog?.(line)
      const ready = readyEventOf(line)
      if (ready === null) return
      clearTimeout(timer)
      resolve({
        pid: child.pid ?? 0,
        url: ready.http_url ?? '',
        otlpHttpUrl: ready.otlp_http_url ?? '',
        grpcAddress: ready.grpc_address ?? '',
        child,
        stop: () => stopChild(child, exited),
        kill,
      })
    })
  })
}

function readyEventOf(line: string): ReadyEvent | null {
  if (!line.includes('"event":"ready"')) return null
  const parsed = JSON.parse(line) as ReadyEvent // our own log event
  return parsed.event === 'ready' ? parsed : null
}

async function stopChild(child: ChildProcess, exited: Promise<number | null>): Promise<number | null> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  const code = await exited
  clearTimeout(timer)
  return code
}
