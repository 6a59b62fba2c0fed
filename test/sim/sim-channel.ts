/** Two ends of a channel between simulated threads: in order, after a while, and only between those that live. */
import type { ThreadPort } from '../../src/engine/thread-port.ts'
import type { SimulatedProcess, VirtualTime } from './virtual-time.ts'

interface End<Received, Sent> extends ThreadPort<Received, Sent> {
  deliver(message: Received): void
}

export function simulatedChannel<A, B>(
  time: VirtualTime,
  first: SimulatedProcess,
  second: SimulatedProcess,
  delayMs: () => number,
): readonly [ThreadPort<B, A>, ThreadPort<A, B>] {
  const closed = { closed: false }
  const toSecond = sender<A>(time, first, second, closed, delayMs)
  const toFirst = sender<B>(time, second, first, closed, delayMs)
  const ends: [End<B, A>, End<A, B>] = [endOf(closed, toSecond.send), endOf(closed, toFirst.send)]
  toSecond.receiver = message => ends[1].deliver(message)
  toFirst.receiver = message => ends[0].deliver(message)
  return ends
}

interface Sender<T> {
  send(message: T): void
  receiver: (message: T) => void
}

function sender<T>(
  time: VirtualTime,
  from: SimulatedProcess,
  to: SimulatedProcess,
  state: { readonly closed: boolean },
  delayMs: () => number,
): Sender<T> {
  let lastMs = 0
  const one: Sender<T> = {
    receiver: () => undefined,
    send(message) {
      if (!from.alive || state.closed) return
      lastMs = Math.max(lastMs, time.nowMs + delayMs())
      time.after(lastMs - time.nowMs, () => {
        if (to.alive) one.receiver(message)
      })
    },
  }
  return one
}

/** As a MessagePort does, an end keeps what comes until somebody listens. */
function endOf<Received, Sent>(
  state: { closed: boolean },
  send: (message: Sent) => void,
): End<Received, Sent> {
  const listeners: ((message: Received) => void)[] = []
  let waiting: Received[] = []
  return {
    postMessage: message => send(message),
    on(_event, listener) {
      listeners.push(listener)
      const kept = waiting
      waiting = []
      for (const message of kept) listener(message)
    },
    close() {
      state.closed = true
    },
    deliver(message) {
      if (listeners.length === 0) waiting.push(message)
      for (const listener of listeners) listener(message)
    },
  }
}
