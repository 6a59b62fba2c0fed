/** Where this process takes telemetry, as far as a question about missing data needs it. */
export interface Receiver {
  readonly transport: 'grpc' | 'http'
  /** Host and port as reached from this machine. */
  readonly address: string
  /** What is wrong with it in words of ours, or empty. */
  readonly problem: string
}
