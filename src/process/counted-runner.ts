/** Counts tool calls by name and outcome, for `OtelContext_mcp_tool_invocations_total`. */
import { OverloadedError } from '../errors.ts'
import type { ToolAnswer, ToolCall, ToolRunner } from '../model/tool.ts'
import type { OwnMetrics } from '../server/own-metrics.ts'

export function countedRunner(runner: ToolRunner, metrics: OwnMetrics): ToolRunner {
  const count = (tool: string, status: string): void =>
    metrics.add('OtelContext_mcp_tool_invocations_total', { tool, status })
  return {
    async call(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
      try {
        const answer = await runner.call(call, signal)
        count(call.tool, answer.failed ? 'failed' : 'ok')
        return answer
      } catch (error) {
        count(call.tool, statusOf(error, signal))
        throw error
      }
    },
  }
}

function statusOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'cancelled'
  if (!(error instanceof OverloadedError)) return 'error'
  return error.code === 'call_timeout' ? 'timeout' : 'overloaded'
}
