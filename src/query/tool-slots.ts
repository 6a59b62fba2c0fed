/** Who may run a tool call right now. There is no queue: a call gets a slot at once or is told to come back. */
import { LRUCache } from 'lru-cache'
import { OverloadedError } from '../errors.ts'
import type { Clock } from '../model/time.ts'

/** A tenant counts as calling for this long after its last call, taken or not. */
const callingMs = 10_000
/** Tenants remembered as calling; the least recent are forgotten, which only loosens the share. */
const tenantsRemembered = 1_000
/** What a refused caller is told to wait: about one call. */
const retryAfterMs = 500
/** Share of the slots that one tenant may hold while others are calling. */
const tenantShare = 0.75

export interface ToolSlots {
  /** Takes a slot and returns what gives it back; throws OverloadedError `overloaded`. */
  take(tenant: string): () => void
  readonly taken: number
}

/** `limit` 0: no limit. */
export function createToolSlots(limit: number, clock: Clock): ToolSlots {
  const held = new Map<string, number>()
  const calling = new LRUCache<string, number>({ max: tenantsRemembered })
  let taken = 0

  const othersCall = (tenant: string): boolean => {
    const now = clock.now()
    for (const [other, atMs] of calling.entries()) {
      if (other !== tenant && now - atMs < callingMs) return true
    }
    return false
  }

  const refuse = (message: string): never => {
    throw new OverloadedError('overloaded', message, { retryAfterMs })
  }

  return {
    get taken() {
      return taken
    },
    take(tenant) {
      calling.set(tenant, clock.now())
      const own = held.get(tenant) ?? 0
      if (limit > 0 && taken >= limit) refuse(`server overloaded: ${limit} tool calls are running`)
      const share = Math.max(1, Math.floor(limit * tenantShare))
      if (limit > 0 && own >= share && othersCall(tenant))
        refuse(`server overloaded: ${own} tool calls of this tenant are running, and others are calling`)
      held.set(tenant, own + 1)
      taken++
      let given = false
      return () => {
        if (given) return
        given = true
        taken--
        const left = (held.get(tenant) ?? 1) - 1
        if (left === 0) held.delete(tenant)
        else held.set(tenant, left)
      }
    },
  }
}
