/** Runs tools in the process that owns the data directory, over its own MCP door; loads no store and no gRPC. */
import { callTool, type LocalAddress, type ServerConnection } from '../cli/server-connection.ts'
import { OverloadedError } from '../errors.ts'
import type { ToolAnswer, ToolCall, ToolRunner } from '../model/tool.ts'

/** True if an OtelContext answers there. A stale file, or a port that is somebody else's by now, is false. */
export async function isAlive(owner: LocalAddress): Promise<boolean> {
  try {
    const response = await fetch(`${owner.url}/live`, { signal: AbortSignal.timeout(1_000) })
    return response.ok
  } catch {
    return false
  }
}

/** Rejects with OverloadedError `unreachable` when the owner has gone. */
export function runnerOfOwner(owner: LocalAddress): ToolRunner {
  return {
    async call(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
      signal.throwIfAborted()
      const connection: ServerConnection = {
        url: owner.url,
        headers: { authorization: `Bearer ${owner.token}`, 'x-tenant-id': call.caller.tenant },
        origin: 'owner',
        close: async () => undefined,
      }
      return callTool(connection, call.tool, call.args as Readonly<Record<string, unknown>>, signal)
    },
  }
}

/** Whether the call failed because nobody is there any more. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof OverloadedError && error.code === 'unreachable'
}
