/** A request that cannot be served, with the HTTP status that says so. */
export class Problem extends Error {
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = status < 500 ? 'RequestRefused' : 'RequestFailed'
    this.status = status
  }
}
