/** From a call to its answer: arguments, tenant, window, the tool itself, budget, handles. */
import { createHash } from 'node:crypto'
import { StoreError } from '../errors.ts'
import type { Overflow } from '../model/overflow.ts'
import type { Deadline, TelemetryReader } from '../model/reader.ts'
import type { Receiver } from '../model/receiver.ts'
import type { TimeRange } from '../model/time.ts'
import type { Caller, ToolAnswer } from '../model/tool.ts'
import { formatAsOf, readAsOf, refuseIfSuperseded } from './answer/as-of.ts'
import { assemble } from './answer/assemble.ts'
import { type CursorBinding, readCursor } from './answer/cursor.ts'
import type { Draft } from './answer/draft.ts'
import { answerFailure } from './answer/error-answer.ts'
import { showCoverage } from './answer/show-coverage.ts'
import { ArgumentProblem } from './arguments/problem.ts'
import { requireAbsoluteTimes, resolveBaseline, resolveWindow } from './arguments/window.ts'
import type { PreparedCall, Tool } from './tool.ts'

export interface ToolEnvironment {
  readonly caller: Caller
  readonly deadline: Deadline
  /** A reader of that tenant as of now. The caller of `runTool` closes what it opened. */
  open(tenant: string): Promise<TelemetryReader>
  /** Where this process takes telemetry; nothing is said of it if not given. */
  readonly receivers?: () => Promise<readonly Receiver[]>
  /** Bounds of the graph that were reached; none if not given. */
  readonly overflows?: () => Promise<readonly Overflow[]>
  /** Entries that a search for similar things compares at most; VECTOR_INDEX_MAX_ENTRIES. */
  readonly similarEntries?: number
  /** Hears of a store that could not be read; the answer says no more than that. */
  readonly onStoreFault?: (error: StoreError) => void
}

/** As the setting has it without a value. */
const defaultSimilarEntries = 100_000

/** Everything there is, for tools without a window: the years 1970 to 2100. */
const always: TimeRange = { fromMs: 0, toMs: 4_102_444_800_000 }

/** The tenant asked about: the caller's own, or for operators the one they name. */
export function tenantOf(args: unknown, caller: Caller): string {
  const named = typeof args === 'object' && args !== null && 'tenant' in args ? args.tenant : undefined
  if (named === undefined || named === caller.tenant) return caller.tenant
  if (typeof named !== 'string' || !caller.operator) {
    throw new ArgumentProblem('tenant_not_allowed', 'only operators may name another tenant', {
      field: 'tenant',
      accepted: ['leave it out'],
    })
  }
  return named
}

/** Same for the same call whatever the order of its keys: what memo keys, cursors and result ids hash. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

const frameArguments = new Set(['max_tokens', 'as_of', 'cursor', 'limit', 'from', 'to', 'tenant'])

function bindingOf(tool: Tool, call: PreparedCall, reader: TelemetryReader, caller: Caller): CursorBinding {
  const shaping = Object.entries(call.parsed).filter(([key]) => !frameArguments.has(key))
  const scope = canonicalJson([reader.tenant, caller.principal, tool.name, Object.fromEntries(shaping)])
  return { key: reader.asOf.inboxId, scope }
}

function resultIdOf(tool: Tool, call: PreparedCall, draft: Draft, tenant: string, asOf: string): string {
  const absolute = {
    ...call.parsed,
    as_of: undefined,
    tenant: undefined,
    from: draft.window?.fromMs,
    to: draft.window?.toMs,
    baseline_from: draft.baseline?.fromMs,
    baseline_to: draft.baseline?.toMs,
  }
  return createHash('sha256')
    .update(canonicalJson([tenant, tool.name, absolute, asOf]))
    .digest('hex')
    .slice(0, 16)
}

async function answer(tool: Tool, args: unknown, environment: ToolEnvironment): Promise<string> {
  const { caller, deadline } = environment
  const call = tool.prepare(args)
  const { common } = call
  const tenant = tenantOf(args, caller)
  const reader = await environment.open(tenant)
  if (common.as_of !== undefined) requireAbsoluteTimes(common, tool.window !== 'none')
  const standing = common.as_of === undefined ? reader.asOf : readAsOf(common.as_of, reader)
  const binding = bindingOf(tool, call, reader, caller)
  const start = common.cursor === undefined ? null : readCursor(common.cursor, binding)
  const named = tool.window === 'none' ? always : resolveWindow(common, reader.nowMs)
  const window = start === null || tool.window === 'none' ? named : { fromMs: start.fromMs, toMs: start.toMs }
  const baseline = tool.window === 'compared' ? resolveBaseline(common, reader.nowMs) : null
  const receivers = environment.receivers ?? (async () => [])
  const overflows = environment.overflows ?? (async () => [])
  const { similarEntries = defaultSimilarEntries } = environment
  const draft = await call.run({
    reader,
    deadline,
    caller,
    window,
    baseline,
    start,
    receivers,
    overflows,
    similarEntries,
  })
  deadline.check()
  const touched = [draft.window ?? draft.touched ?? window, ...(draft.baseline ? [draft.baseline] : [])]
  await refuseIfSuperseded(standing, touched, reader)
  const asOf = common.as_of ?? formatAsOf(reader.asOf)
  return assemble(draft, {
    maxTokens: common.max_tokens ?? tool.maxTokens,
    limit: common.limit ?? tool.rows,
    asOf,
    resultId: resultIdOf(tool, call, draft, tenant, asOf),
    coverage: showCoverage(await reader.coverage(draft.window ?? draft.touched ?? window), draft.window),
    binding,
    start,
  })
}

/**
 * Runs one tool. Wrong arguments and domain errors become a failed answer; a deadline that is over, and bugs,
 * are thrown.
 */
export async function runTool(tool: Tool, args: unknown, environment: ToolEnvironment): Promise<ToolAnswer> {
  try {
    return { json: await answer(tool, args, environment), failed: false }
  } catch (error) {
    if (error instanceof StoreError) environment.onStoreFault?.(error)
    const failure = answerFailure(error)
    if (failure === null) throw error
    return failure
  }
}
