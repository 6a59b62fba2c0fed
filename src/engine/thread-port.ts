/** As much of a MessagePort as the two workers need; the simulation has its own. */
import type { MessagePort } from 'node:worker_threads'

export interface ThreadPort<Received, Sent> {
  /** What is in `transfers` is taken away from the sender. */
  postMessage(message: Sent, transfers?: readonly (ArrayBuffer | MessagePort)[]): void
  on(event: 'message', listener: (message: Received) => void): unknown
  close(): void
}
