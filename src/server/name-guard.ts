/**
 * Host and Origin of requests, against DNS rebinding: a page that resolves its own name to this machine can
 * reach the listener, but it cannot hide under which name it came.
 */
import { isIP } from 'node:net'
import { isLoopbackAddress } from './authenticator.ts'

export interface NameGuardOptions {
  readonly bindAddress: string
  /** Further names: exact, `*.suffix`, or `*` for any. */
  readonly allowedHosts: readonly string[]
  /** Origins whose pages may call from a browser, such as `https://pages.example.com`. */
  readonly allowedOrigins: readonly string[]
  /** Whether every caller has to present a key. */
  readonly keyRequired: boolean
}

export class NameGuard {
  readonly #bindAddress: string
  readonly #reachable: boolean
  readonly #keyRequired: boolean
  readonly #hosts: readonly string[]
  readonly #origins: ReadonlySet<string>

  constructor(options: NameGuardOptions) {
    this.#bindAddress = options.bindAddress.toLowerCase()
    this.#reachable = !isLoopbackName(this.#bindAddress)
    this.#keyRequired = options.keyRequired
    this.#hosts = options.allowedHosts.map(host => host.toLowerCase())
    this.#origins = new Set(options.allowedOrigins.map(origin => origin.toLowerCase().replace(/\/$/, '')))
  }

  /**
   * `host` as received; browsers always send one, so a missing one is no browser's. On a network any name will do
   * for a request that presents a key where one is required: a page that resolves its name to this machine has
   * none, and a cluster reaches its servers under names nobody wants to list here.
   */
  hostAllowed(host: string | undefined, presentsKey = false): boolean {
    if (host === undefined) return true
    if (presentsKey && this.#keyRequired && this.#reachable) return true
    const name = hostName(host)
    return name !== null && this.#nameAllowed(name)
  }

  /**
   * `origin` as received; only browsers send one. Allowed are pages of this machine, of the names this server
   * goes by, and of the server itself under the Host it was asked for.
   */
  originAllowed(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined || this.corsAllowed(origin)) return true
    if (!URL.canParse(origin)) return false
    const name = hostName(new URL(origin).host)
    if (name === null) return false
    return isLoopbackName(name) || this.#isConfigured(name) || name === hostName(host ?? '')
  }

  /** Whether pages of this origin may read answers. */
  corsAllowed(origin: string | undefined): boolean {
    return origin !== undefined && this.#origins.has(origin.toLowerCase())
  }

  #nameAllowed(name: string): boolean {
    if (isLoopbackName(name) || this.#isConfigured(name) || this.#hosts.includes('*')) return true
    // An address is no name that somebody else's DNS could have pointed here.
    return this.#reachable && isIP(name) !== 0
  }

  #isConfigured(name: string): boolean {
    return (
      name === this.#bindAddress ||
      this.#hosts.some(host => host === name || (host.startsWith('*.') && name.endsWith(host.slice(1))))
    )
  }
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || isLoopbackAddress(name)
}

/** The name of a Host header in lower case, without port and brackets; null if it is not well formed. */
function hostName(host: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host.trim())
  const name = match?.[1] ?? match?.[2]
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, '')
}
