/** As much of a MessagePort as the two workers need; the simulation has its own. */
export interface ThreadPort<Received, Sent> {
  postMessage(message: Sent): void
  on(event: 'message', listener: (message: Received) => void): unknown
  close(): void
}
