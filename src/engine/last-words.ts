/** What a worker said before it ended: its messages and its end reach the other thread in any order. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'

/** Passes on what still waits in the port of a worker that is gone, then closes it. */
export function hearLastWords(port: MessagePort): void {
  for (let waiting = receiveMessageOnPort(port); waiting !== undefined; waiting = receiveMessageOnPort(port))
    port.emit('message', waiting.message)
  port.close()
}
