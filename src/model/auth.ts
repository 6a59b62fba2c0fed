/**
 * Who is asking: decided once at the edge, the same way for OTLP over gRPC and HTTP, MCP and administration.
 * `server/authenticator` implements it; receivers only know this port.
 */
import type { Caller } from './tool.ts'

/** What a request says about itself. Header values as received; `undefined` where the header is missing. */
export interface Credentials {
  /** `authorization` */
  readonly authorization: string | undefined
  /** `x-api-key` */
  readonly apiKey: string | undefined
  /** `x-tenant-id` */
  readonly tenant: string | undefined
  /** Address of the peer, without port. */
  readonly peer: string
}

/** The principal of whoever holds the token of the data directory's owner: a process of this user on this machine. */
export const ownerPrincipal = 'owner'

/** Why a request is turned away. `unauthenticated` may succeed with a key, `throttled` after a while. */
export type AccessRefusal = 'unauthenticated' | 'forbidden' | 'invalid_tenant' | 'throttled'

export type Access =
  | { readonly granted: true; readonly caller: Caller }
  | {
      readonly granted: false
      readonly refusal: AccessRefusal
      /** For the sender; names no secret. */
      readonly message: string
      /** Only for `throttled`, else 0. */
      readonly retryAfterMs: number
    }

export interface Authenticator {
  authenticate(credentials: Credentials): Access
}

/** Long enough for any naming scheme, short enough for a key of every map and row. */
export const tenantMaxBytes = 128

/** Why a text is no tenant name, as the end of a sentence, or null if it is one. */
export function tenantProblem(name: string): string | null {
  if (name === '') return 'is empty'
  if (new TextEncoder().encode(name).length > tenantMaxBytes) return `is longer than ${tenantMaxBytes} bytes`
  // C0, DEL and C1 controls, and the line separators: a tenant name must stay on one line of any log.
  return /[\p{Cc}\u2028\u2029]/u.test(name) ? 'has control characters' : null
}
