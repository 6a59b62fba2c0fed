/** The port between the edges (MCP, shell) on the main thread and the query workers that run the tools. */

/** Sets of further tools that an operator may switch on. */
export const toolsetNames = ['forensics'] as const
export type ToolsetName = (typeof toolsetNames)[number]

/** Who asks, decided once at the edge. */
export interface Caller {
  readonly tenant: string
  /** Key id, or `loopback`. */
  readonly principal: string
  /** Operators may name a tenant and see process-wide figures. */
  readonly operator: boolean
}

export interface ToolCall {
  readonly tool: string
  /** As sent; the tool's own schema decides. */
  readonly args: unknown
  readonly caller: Caller
}

/**
 * `json` is the whole answer as one compact JSON text, both for `structuredContent` and for the text block.
 * `failed` answers are coded errors for the agent (`isError`), not protocol errors.
 */
export interface ToolAnswer {
  readonly json: string
  readonly failed: boolean
}

/** Runs tools. Rejects with OverloadedError (`overloaded`) at once when all slots are taken. */
export interface ToolRunner {
  /** Rejects with OverloadedError `call_timeout` past the deadline, once the work has really stopped. */
  call(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer>
}
