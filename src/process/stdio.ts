/**
 * `otelcontext mcp`: MCP over stdin and stdout. Joins the process that owns the data directory, or becomes it;
 * discovery and `tools/list` are answered before either is known, and nothing heavy is loaded for them.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Configuration } from '../config.ts'
import { ConfigurationError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { serveMcpStdio } from '../mcp/stdio.ts'
import type { Caller, ToolAnswer, ToolCall, ToolRunner } from '../model/tool.ts'
import { readOwnerHint } from './owner-hint.ts'
import { isAlive, isUnreachable, runnerOfOwner } from './owner-runner.ts'
import type { RunningServer } from './serve.ts'

/** Hosts start a throw-away process to probe; only one whose stdin stays open for this long opens anything. */
const probeMs = 1_000
/** How long a process that lost the race for the directory waits until the winner says where it listens. */
const joinPatienceMs = 10_000
const joinPollMs = 50

export interface StdioOptions {
  readonly configuration: Configuration
  readonly version: string
  readonly logger: Logger
}

/** Resolves with the exit code when the host hangs up or a signal arrives. */
export async function runStdio(options: StdioOptions): Promise<number> {
  const { configuration, version, logger } = options
  const caller: Caller = { tenant: configuration.values.DEFAULT_TENANT, principal: 'stdio', operator: true }
  const home = new Home(options)
  const server = serveMcpStdio({
    openRunner: async () => home,
    caller,
    version,
    logger,
    toolsets: configuration.values.MCP_TOOLSETS,
  })
  const signal = new Promise<string>(resolve => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  const opening = setTimeout(
    () => void home.open().catch(error => logger.warn({ event: 'not_open', err: error }, 'not open yet')),
    probeMs,
  )
  const reason = await Promise.race([server.closed.then(() => 'the host hung up'), signal])
  clearTimeout(opening)
  await server.close()
  await home.close(reason)
  return 0
}

/** Where tool calls go: to the owner while it answers, else to a server in this process. */
class Home implements ToolRunner {
  readonly #options: StdioOptions
  #opening: Promise<ToolRunner> | null = null
  #own: RunningServer | null = null
  #closed = false

  constructor(options: StdioOptions) {
    this.#options = options
  }

  async call(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
    const runner = await this.open()
    try {
      return await runner.call(call, signal)
    } catch (error) {
      if (!isUnreachable(error)) throw error
      // The owner has died; whoever comes first takes its place.
      this.#opening = null
      return (await this.open()).call(call, signal)
    }
  }

  /** Finds or becomes the owner, once; a failure is tried again at the next call. */
  open(): Promise<ToolRunner> {
    this.#opening ??= this.#settle().catch(error => {
      this.#opening = null
      throw error
    })
    return this.#opening
  }

  async close(reason: string): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    await this.#own?.stop(reason)
  }

  async #settle(): Promise<ToolRunner> {
    const giveUpAt = Date.now() + joinPatienceMs
    for (;;) {
      const hint = readOwnerHint(this.#options.configuration.dataDirectory)
      if (hint !== null && (await isAlive(hint))) return runnerOfOwner(hint)
      const refusal = await this.#becomeOwner()
      if (refusal === null && this.#own !== null) return this.#own.runner
      if (Date.now() > giveUpAt || this.#closed) throw refusal ?? new Error('closed')
      await pause(joinPollMs)
    }
  }

  /** Null if it worked; the refusal if somebody else owns the directory. Other problems are thrown. */
  async #becomeOwner(): Promise<ConfigurationError | null> {
    const { startServer } = await import('./serve.ts')
    const ports = await freeIfBusy(this.#options)
    try {
      this.#own = await startServer({ ...this.#options, ports })
      return null
    } catch (error) {
      if (
        error instanceof ConfigurationError &&
        error.problems.some(problem => problem.includes('is owned by'))
      )
        return error
      throw error
    }
  }
}

/** A busy port must not keep an agent from its data: it is said, and free ports are taken instead. */
async function freeIfBusy({ configuration, logger }: StdioOptions): Promise<'configured' | 'free'> {
  const { canListen } = await import('./port-probe.ts')
  const { HTTP_PORT, GRPC_PORT, OTLP_HTTP_PORT } = configuration.values
  for (const port of [HTTP_PORT, GRPC_PORT, OTLP_HTTP_PORT]) {
    if (port === 0 || (await canListen(port, configuration.bindAddress))) continue
    logger.warn(
      { event: 'port_busy', port },
      `port ${port} is in use; telemetry sent there goes elsewhere, listening on free ports`,
    )
    return 'free'
  }
  return 'configured'
}
