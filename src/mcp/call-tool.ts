/** `tools/call`: hands the call to the runner and its outcome to the protocol. */
import { type CallToolResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { OverloadedError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Caller, ToolAnswer, ToolRunner, ToolsetName } from '../model/tool.ts'
import { offeredTools } from '../tools/registry.ts'

/** Codes of ours in the range the protocol leaves to servers. */
const overloaded = -32_000
const callTimeout = -32_001

/** A call longer than this reports progress, and again after every such time. */
const progressEveryMs = 1_000

export interface Progress {
  /** Called with the seconds gone by; never rejects. */
  report(seconds: number): void
}

export interface CallContext {
  readonly runner: ToolRunner
  readonly caller: Caller
  readonly signal: AbortSignal
  readonly progress: Progress | null
  readonly logger: Logger
  /** Sets of tools that are switched on. */
  readonly toolsets: readonly ToolsetName[]
}

/** Failures of the machinery as protocol errors; those of the caller are answers already. */
export function protocolErrorOf(error: unknown, logger: Logger): ProtocolError {
  if (error instanceof ProtocolError) return error
  if (error instanceof OverloadedError) {
    const data = { retry_after_ms: error.retryAfterMs }
    return error.code === 'call_timeout'
      ? new ProtocolError(callTimeout, 'call timeout', data)
      : new ProtocolError(overloaded, 'server overloaded', data)
  }
  if (error instanceof Error && error.name === 'AbortError')
    return new ProtocolError(ProtocolErrorCode.InternalError, 'the call was cancelled')
  logger.error({ event: 'tool_call_failed', err: error }, 'a tool call failed')
  return new ProtocolError(ProtocolErrorCode.InternalError, 'internal error; the server log says more')
}

/** Runs a tool by name; throws ProtocolError -32602 for one that is unknown or not offered. */
export async function runNamed(name: string, args: unknown, context: CallContext): Promise<ToolAnswer> {
  if (!offeredTools(context.toolsets).some(tool => tool.name === name))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'unknown tool; see tools/list')
  const { progress, runner, caller, signal, logger } = context
  const startMs = performance.now()
  const timer =
    progress === null
      ? undefined
      : setInterval(() => progress.report(Math.round((performance.now() - startMs) / 1_000)), progressEveryMs)
  try {
    return await runner.call({ tool: name, args, caller }, signal)
  } catch (error) {
    throw protocolErrorOf(error, logger)
  } finally {
    clearInterval(timer)
  }
}

/** The same JSON in both channels: some hosts show the model only the one, some only the other. */
export async function callTool(name: string, args: unknown, context: CallContext): Promise<CallToolResult> {
  const { json, failed } = await runNamed(name, args, context)
  return {
    content: [{ type: 'text', text: json }],
    structuredContent: JSON.parse(json) as Record<string, unknown>, // an answer is one JSON object
    ...(failed ? { isError: true } : {}),
  }
}
