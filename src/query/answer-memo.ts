/** Answers of cheap, often repeated tools, kept for a few seconds. */
import { LRUCache } from 'lru-cache'
import type { ToolAnswer, ToolCall } from '../model/tool.ts'
import { findTool } from '../tools/registry.ts'
import { canonicalJson, tenantOf } from '../tools/run-tool.ts'

/** Enough for some hundred agents that ask the same five questions, and 16 MiB at the most. */
const maxEntries = 1_000
const maxCharacters = 16 * 1024 * 1024

export interface AnswerMemo {
  /** Null if this call is never kept. */
  keyOf(call: ToolCall): string | null
  get(key: string): ToolAnswer | undefined
  /** Successes only; failures are not kept. */
  keep(key: string, answer: ToolAnswer): void
}

/** `ttlMs` 0: keeps nothing. `now` in milliseconds, for tests. */
export function createAnswerMemo(ttlMs: number, now?: () => number): AnswerMemo {
  const kept =
    ttlMs === 0
      ? null
      : new LRUCache<string, ToolAnswer>({
          max: maxEntries,
          maxSize: maxCharacters,
          sizeCalculation: answer => answer.json.length + 1,
          ttl: ttlMs,
          ...(now === undefined ? {} : { perf: { now }, ttlResolution: 0 }),
        })
  return {
    keyOf(call) {
      if (kept === null || findTool(call.tool)?.memo !== true) return null
      try {
        // The principal belongs to it because cursors inside an answer are bound to one.
        return canonicalJson([
          tenantOf(call.args, call.caller),
          call.caller.principal,
          call.tool,
          call.args ?? {},
        ])
      } catch {
        return null // not allowed to name that tenant: the tool itself says so
      }
    },
    get: key => kept?.get(key),
    keep(key, answer) {
      if (!answer.failed) kept?.set(key, answer)
    },
  }
}
