/** As much of a MessagePort as the two workers need; the simulation has its own. */
export interface ThreadPort<Received, Sent> {
  /** What is in `transfer` is given away. */
  postMessage(message: Sent, transfer?: readonly ArrayBuffer[]): void
  on(event: 'message', listener: (message: Received) => void): unknown
  close(): void
}
