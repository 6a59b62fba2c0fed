/** The process: passes the command line on, and puts in what the shell commands must not know. */
import { readFileSync } from 'node:fs'
import type { LocalServer } from './cli/server-connection.ts'
import type { Configuration } from './config.ts'
import { setHeapFlags } from './heap-flags.ts'
import { createLogger } from './logger.ts'

/** Runs one command line and resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  setHeapFlags()
  const version = readVersion()
  const { runProgram } = await import('./cli/program.ts')
  const code = await runProgram(argv, {
    version,
    serve: configuration => serve(configuration, version),
    mcp: async configuration => {
      const { runStdio } = await import('./process/stdio.ts')
      return runStdio({ configuration, version, logger: createLogger(configuration.values.LOG_LEVEL) })
    },
    local: configuration => localServer(configuration, version),
  })
  return code
}

async function serve(configuration: Configuration, version: string): Promise<number> {
  const logger = createLogger(configuration.values.LOG_LEVEL)
  const [{ startServer }, { untilSignal }] = await Promise.all([
    import('./process/serve.ts'),
    import('./lifecycle.ts'),
  ])
  const signal = untilSignal()
  const server = await startServer({ configuration, version, logger, ports: 'configured' })
  try {
    await server.stop(await Promise.race([signal, server.failed]))
    return 0
  } catch (error) {
    logger.fatal({ event: 'task_failed', err: error }, 'cannot go on')
    await server.stop('failed')
    return 1
  }
}

/** For commands that ask: the owner of the directory, or a quiet server of the moment. */
function localServer(configuration: Configuration, version: string): LocalServer {
  return {
    async findOwner() {
      const [{ readOwnerHint }, { isAlive }] = await Promise.all([
        import('./process/owner-hint.ts'),
        import('./process/owner-runner.ts'),
      ])
      const hint = readOwnerHint(configuration.dataDirectory)
      return hint !== null && (await isAlive(hint)) ? hint : null
    },
    async start() {
      const { startServer } = await import('./process/serve.ts')
      const logger = createLogger('ERROR')
      const server = await startServer({ configuration, version, logger, ports: 'free' })
      const { url, grpcAddress, token } = server
      return { url, grpcAddress, token, stop: () => server.stop('the command is done') }
    },
  }
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0.0.0'
}
