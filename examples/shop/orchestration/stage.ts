/** The server on an empty directory with the shop in front of it, and both taken down again in any case. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startServerProcess } from '../../../scripts/server-process.ts'
import { type Shop, startShop } from './shop.ts'

export interface Stage {
  readonly server: ServerProcess
  readonly shop: Shop
  readonly dataDirectory: string
  /** May be called twice. */
  stop(): Promise<void>
}

export interface StageOptions {
  /** Called when a process ends that nobody stopped. */
  readonly onLost: (sentence: string) => void
  /** Gives up while server and shop are starting; has no effect later. */
  readonly signal?: AbortSignal
}

/** Whatever the user's environment or `.env` says, this server is a plain one that touches nothing of theirs. */
const plainSettings: Readonly<Record<string, string>> = {
  APP_ENV: 'development',
  LOG_LEVEL: 'INFO',
  API_KEY: '',
  BIND_ADDRESS: '',
  DB_DRIVER: 'sqlite',
  DB_DSN: '',
  DLQ_PATH: '',
  MCP_ENABLED: 'true',
  MCP_PATH: '/mcp',
}

/** Resolves when server and shop run. Leaves nothing behind when it rejects. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'otelcontext-shop-'))
  let server: ServerProcess | undefined
  let shop: Shop | undefined
  let stopped: Promise<void> | undefined
  const killServer = (): void => void server?.child.kill('SIGKILL')
  const close = async (): Promise<void> => {
    // The shop first: its processes flush what they still have.
    await shop?.stop()
    await server?.stop()
    process.off('exit', killServer)
    rmSync(dataDirectory, { recursive: true, force: true })
  }
  const stop = (): Promise<void> => {
    stopped ??= close()
    return stopped
  }
  process.on('exit', killServer)
  try {
    server = await startServerProcess({ dataDirectory, environment: plainSettings })
    server.child.once('exit', code => {
      if (stopped === undefined) options.onLost(`the server ended unexpectedly with code ${code}`)
    })
    shop = await startShop({
      endpoint: { grpcUrl: `http://${server.grpcAddress}`, httpUrl: server.otlpHttpUrl },
      onLost: options.onLost,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    return { server, shop, dataDirectory, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
