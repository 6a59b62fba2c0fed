/** Servers that load their code while another one still owns the data directory, for tests that start hundreds. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { CompiledServer } from '../../scripts/compiled-server.ts'
import {
  type ServerProcess,
  type ServerProcessOptions,
  startServerProcess,
} from '../../scripts/server-process.ts'

const standbyEntry = fileURLToPath(new URL('./standby-entry.ts', import.meta.url))

/** Long runs have the lowest priority, and a start that hangs is still found. */
const startLimitMs = 600_000

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
