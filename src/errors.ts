/**
 * The five kinds of failure this process knows. Anything else that is thrown is a bug.
 *
 * Each has a stable `code` for programs and a message in lower case that names the value and the limit.
 * An edge maps them once: `ingest` to gRPC and HTTP codes, `mcp` to coded tool errors, `cli` to exit codes.
 */
abstract class CodedError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** What the caller sent cannot be right, now or later. `field` names the argument where there is one. */
export class InvalidInputError extends CodedError {
  readonly field: string | undefined

  constructor(code: string, message: string, options?: ErrorOptions & { readonly field?: string }) {
    super(code, message, options)
    this.field = options?.field
  }
}

/** The thing asked for does not exist, or not for this tenant. */
export class NotFoundError extends CodedError {}

/** A limit is reached; the same request may succeed after `retryAfterMs` milliseconds. */
export class OverloadedError extends CodedError {
  readonly retryAfterMs: number

  constructor(code: string, message: string, options: ErrorOptions & { readonly retryAfterMs: number }) {
    super(code, message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Disk, SQLite or Postgres failed or holds something unreadable. */
export class StoreError extends CodedError {}

/** The process cannot run as configured. `problems` lists every one found, each a sentence with its remedy. */
export class ConfigurationError extends CodedError {
  readonly problems: readonly string[]

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super('bad_configuration', problems.join('\n'), options)
    this.problems = problems
  }
}

export interface ListenTarget {
  /** `gRPC` or `HTTP`. */
  readonly kind: string
  readonly address: string
  readonly port: number
  /** The setting that chooses the port. */
  readonly setting: string
}

/** A listener that could not be opened, as one sentence with the remedy. */
export function listenFailure(target: ListenTarget, cause: unknown): ConfigurationError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : ''
  const start = `Failed to start ${target.kind} server: port ${target.port} on ${target.address}`
  const sentence =
    code === 'EADDRINUSE'
      ? `${start} is in use; stop the process that holds it or set ${target.setting}`
      : code === 'EACCES'
        ? `${start} needs rights this process does not have; set ${target.setting} to 1024 or above`
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? `${start} cannot be opened because this machine does not have that address; set BIND_ADDRESS`
          : `${start} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}`
  return new ConfigurationError([sentence], { cause })
}
