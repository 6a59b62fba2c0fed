/** What a tool is: a name, a schema, and a function from parsed arguments to a draft. */
import type { z } from 'zod'
import type { Overflow } from '../model/overflow.ts'
import type { Deadline, TelemetryReader } from '../model/reader.ts'
import type { Receiver } from '../model/receiver.ts'
import type { TimeRange } from '../model/time.ts'
import type { Caller } from '../model/tool.ts'
import type { CursorPosition } from './answer/cursor.ts'
import type { Draft } from './answer/draft.ts'
import { parseArguments } from './arguments/parse-arguments.ts'

export interface ToolContext {
  readonly reader: TelemetryReader
  readonly deadline: Deadline
  readonly caller: Caller
  /** The effective window, half-open; for tools without a window everything there is. */
  readonly window: TimeRange
  /** As named by the caller; null if the tool shall take the healthy time before. */
  readonly baseline: TimeRange | null
  /** Where this process takes telemetry. */
  receivers(): Promise<readonly Receiver[]>
  /** Entries that a search for similar things compares at most. */
  readonly similarEntries: number
  /** Bounds of the graph that were reached, of all tenants. */
  overflows(): Promise<readonly Overflow[]>
  /** Where the page starts, when a cursor was given. Rows before it are dropped by the assembler anyway. */
  readonly start: CursorPosition | null
}

/** Arguments the frame itself understands; every tool has the first three. */
export interface CommonArguments {
  readonly max_tokens?: number | undefined
  readonly as_of?: string | undefined
  readonly tenant?: string | undefined
  readonly from?: string | number | undefined
  readonly to?: string | number | undefined
  readonly baseline_from?: string | number | undefined
  readonly baseline_to?: string | number | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** Arguments that passed the schema, and the work they ask for. */
export interface PreparedCall {
  readonly common: CommonArguments
  /** As parsed, for the result id; JSON values. */
  readonly parsed: Readonly<Record<string, unknown>>
  run(context: ToolContext): Promise<Draft>
}

export interface ToolTraits {
  readonly name: string
  readonly title: string
  /** For the model: what it answers and when to take it. At most 400 characters. */
  readonly description: string
  /** Valid arguments, the first one typical. */
  readonly examples: readonly Readonly<Record<string, unknown>>[]
  readonly maxTokens: number
  readonly rows: number
  /** `none` has no window, `window` takes from and to, `compared` also a baseline. */
  readonly window: 'none' | 'window' | 'compared'
  /** Whether its successes may be kept for MCP_CACHE_TTL_MS: cheap to keep, dear to make, asked again and again. */
  readonly memo: boolean
}

export interface Tool extends ToolTraits {
  readonly input: z.ZodObject
  /** Throws ArgumentProblem. */
  prepare(args: unknown): PreparedCall
}

export interface ToolDefinition<S extends z.ZodObject> extends ToolTraits {
  readonly input: S
  run(args: z.output<S>, context: ToolContext): Promise<Draft>
}

/** Closes over the schema's type, so that a registry is a plain list. */
export function defineTool<S extends z.ZodObject>(definition: ToolDefinition<S>): Tool {
  const { run, ...traits } = definition
  return {
    ...traits,
    prepare(args) {
      const parsed = parseArguments(definition, args)
      return { common: parsed, parsed, run: context => run(parsed, context) }
    },
  }
}
