/** MCP over stdin and stdout: discovery and `tools/list` are answered before anything heavy is opened. */
import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Caller, ToolRunner } from '../model/tool.ts'
import { createServerFactory, type McpOptions } from './server-factory.ts'

export interface McpStdioOptions extends Omit<McpOptions, 'runner'> {
  /** Opened at the first tool call, once; a rejection is tried again at the next call. */
  readonly openRunner: () => Promise<ToolRunner>
  readonly caller: Caller
  /** The process's own unless a test passes others. */
  readonly input?: Readable
  readonly output?: Writable
}

export interface McpStdioServer {
  /** Resolves when the other side has closed its end, or after `close`. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

function lazyRunner(open: () => Promise<ToolRunner>): ToolRunner {
  let opening: Promise<ToolRunner> | undefined
  return {
    async call(call, signal) {
      opening ??= open().catch(error => {
        opening = undefined
        throw error
      })
      return (await opening).call(call, signal)
    },
  }
}

/** Serves one host over stdio until it hangs up. Nothing but protocol is written to the output. */
export function serveMcpStdio(options: McpStdioOptions): McpStdioServer {
  const { openRunner, caller, logger, version, toolsets = [] } = options
  const input = options.input ?? process.stdin
  const factory = createServerFactory(
    { runner: lazyRunner(openRunner), version, logger, toolsets },
    () => caller,
  )
  const handle = serveStdio(factory, {
    transport: new StdioServerTransport(input, options.output ?? process.stdout),
    onerror: error => logger.debug({ event: 'mcp_problem', err: error }, 'mcp message problem'),
  })
  let finish = (): void => undefined
  const closed = new Promise<void>(resolve => {
    finish = resolve
  })
  input.once('end', finish)
  input.once('close', finish)
  return {
    closed,
    async close() {
      await handle.close()
      finish()
    },
  }
}
