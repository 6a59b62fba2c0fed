/**
 * The server as the package ships it, compiled into a folder of its own: it starts in half the time of the sources,
 * which matters to a test that starts it hundreds of times.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  type ServerProcess,
  type ServerProcessOptions,
  startServerProcess,
} from '../../scripts/server-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const standbyEntry = fileURLToPath(new URL('./standby-entry.ts', import.meta.url))

/** Long runs have the lowest priority, and a start that hangs is still found. */
const startLimitMs = 600_000

export interface CompiledServer {
  readonly directory: string
  remove(): void
}

/** Takes about two seconds. Throws when the sources do not compile. */
export function compileServer(): CompiledServer {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-compiled-'))
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const command = [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(directory, 'dist')]
  execFileSync(process.execPath, command, { stdio: 'inherit' })
  for (const name of ['bin', 'prompts', 'package.json'])
    cpSync(join(root, name), join(directory, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

export interface Standby {
  /** Lets it open the data directory; resolves once it accepts. */
  start(): Promise<ServerProcess>
  /** Ends a process that was never told to start, or has not become ready yet. */
  kill(): Promise<void>
}

/** A server process that loads its code while another one still owns the data directory. */
export function standBy(
  server: CompiledServer,
  options: Pick<ServerProcessOptions, 'dataDirectory' | 'environment'>,
): Standby {
  const go = Promise.withResolvers<void>()
  let end: (() => Promise<void>) | null = null
  const ready = startServerProcess({
    ...options,
    environment: {
      ...options.environment,
      STANDBY_DIST: pathToFileURL(join(server.directory, 'dist/')).href,
    },
    entry: standbyEntry,
    hold: go.promise,
    startLimitMs,
    onChild: kill => {
      end = kill
    },
  })
  ready.catch(() => undefined)
  return {
    start: () => {
      go.resolve()
      return ready
    },
    kill: async () => end?.(),
  }
}
