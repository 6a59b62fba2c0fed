/** The one place that decides who a caller is and which tenant he works for. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Access, type Authenticator, type Credentials, tenantProblem } from '../model/auth.ts'
import type { Clock } from '../model/time.ts'
import type { Caller } from '../model/tool.ts'
import { FailedAttempts } from './failed-attempts.ts'

/** An operator key: it may name a tenant. */
export interface OperatorKey {
  /** What is logged and stored in its place. */
  readonly id: string
  readonly secret: string
}

export interface KeyAuthenticatorOptions {
  /** `API_KEY` and the token of the data directory's owner; a caller with one of them is an operator. */
  readonly keys: readonly OperatorKey[]
  /** Whether a key must be presented. If not, the loopback is an operator and others may use the default tenant. */
  readonly keyRequired: boolean
  readonly defaultTenant: string
  readonly clock: Clock
}

interface HashedKey {
  readonly id: string
  readonly digest: Uint8Array
}

export class KeyAuthenticator implements Authenticator {
  readonly #keys: readonly HashedKey[]
  readonly #keyRequired: boolean
  readonly #defaultTenant: string
  readonly #clock: Clock
  /** Comparing digests under a key nobody knows leaks neither the length nor a prefix of a secret. */
  readonly #pepper = randomBytes(32)
  readonly #attempts = new FailedAttempts()

  constructor(options: KeyAuthenticatorOptions) {
    this.#keys = options.keys.map(key => ({ id: key.id, digest: this.#digest(key.secret) }))
    this.#keyRequired = options.keyRequired
    this.#defaultTenant = options.defaultTenant
    this.#clock = options.clock
  }

  authenticate(credentials: Credentials): Access {
    const nowMs = this.#clock.now()
    const waitMs = this.#keyRequired ? this.#attempts.waitMs(credentials.peer, nowMs) : 0
    if (waitMs > 0) {
      const message = `too many failed attempts from ${credentials.peer}; try again later`
      return { granted: false, refusal: 'throttled', message, retryAfterMs: waitMs }
    }
    const secret = presentedSecret(credentials)
    const key = secret === null ? undefined : this.#find(secret)
    if (key !== undefined) {
      this.#attempts.succeeded(credentials.peer, nowMs)
      return this.#grant(key.id, true, credentials.tenant)
    }
    if (this.#keyRequired) {
      if (secret !== null) this.#attempts.failed(credentials.peer, nowMs)
      return refusal(
        'unauthenticated',
        secret === null
          ? 'a key is needed; send it as "authorization: Bearer KEY" or "x-api-key: KEY"'
          : 'the key is not known here',
      )
    }
    // Senders may be configured with a key for elsewhere; where none is needed it is ignored.
    const local = isLoopbackAddress(credentials.peer)
    return this.#grant(local ? 'loopback' : 'unauthenticated', local, credentials.tenant)
  }

  #grant(principal: string, operator: boolean, named: string | undefined): Access {
    const tenant = named === undefined ? this.#defaultTenant : fromHeader(named)
    if (tenant === null) return refusal('invalid_tenant', 'x-tenant-id is not UTF-8')
    const problem = tenantProblem(tenant)
    if (problem !== null) return refusal('invalid_tenant', `x-tenant-id ${problem}`)
    if (!operator && tenant !== this.#defaultTenant) {
      return refusal('forbidden', 'only an operator key may name another tenant in x-tenant-id')
    }
    const caller: Caller = { tenant, principal, operator }
    return { granted: true, caller }
  }

  #find(secret: string): HashedKey | undefined {
    const digest = this.#digest(secret)
    let found: HashedKey | undefined
    // No early exit: the time must not tell which key matched.
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) found = key
    return found
  }

  #digest(secret: string): Uint8Array {
    return createHmac('sha256', this.#pepper).update(secret).digest()
  }
}

function refusal(kind: 'unauthenticated' | 'forbidden' | 'invalid_tenant', message: string): Access {
  return { granted: false, refusal: kind, message, retryAfterMs: 0 }
}

/** A bearer token wins over `x-api-key`; other schemes of `authorization` are not ours. */
function presentedSecret(credentials: Credentials): string | null {
  const bearer = /^bearer +(\S+) *$/i.exec(credentials.authorization ?? '')?.[1]
  return bearer ?? credentials.apiKey ?? null
}

/** Header values arrive as one character per byte; names beyond ASCII are sent as UTF-8. */
function fromHeader(value: string): string | null {
  if (Buffer.byteLength(value) === value.length) return value
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch {
    return null
  }
}

export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^127(\.\d{1,3}){3}$/.test(address)
}
