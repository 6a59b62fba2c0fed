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
