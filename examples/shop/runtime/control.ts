/** The child's end of the IPC channel. It carries orders that must never show in telemetry. */
import type { Addresses, Identity, Order, Report, Settings } from './messages.ts'

export interface Control {
  readonly identity: Identity
  /** The addresses that take requests for a service now. */
  addressesOf(service: string): Addresses[string]
  /** Whether the process runs into a condition now. */
  meets(condition: string): boolean
  /** How strong the condition is that the process runs into now; undefined where there is none of this name. */
  settingsOf(condition: string): Settings | undefined
  onPace(listener: (journeysPerSecond: number) => void): void
  onStop(listener: () => Promise<void>): void
  report(report: Report): void
}

/** How long a process may take to flush its telemetry before it ends anyway, in milliseconds. */
const stopLimitMs = 2_500

/** Waits for the order to start. The process ends when it is told to, and when its parent is gone. */
export function takeControl(): Promise<Control> {
  const conditions = new Map<string, Settings>()
  const paceListeners: ((journeysPerSecond: number) => void)[] = []
  const stopListeners: (() => Promise<void>)[] = []
  let addresses: Addresses = {}
  let stopping = false

  const stop = async (): Promise<void> => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(0), stopLimitMs).unref()
    await Promise.allSettled(stopListeners.map(listener => listener()))
    process.exit(0)
  }
  // A terminal sends its interrupt to every process; the orchestrator decides the order of leaving.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => void stop())
  process.on('disconnect', () => void stop())

  return new Promise(resolve => {
    const begin = (identity: Identity): void =>
      resolve({
        identity,
        addressesOf: service => addresses[service] ?? [],
        meets: condition => conditions.has(condition),
        settingsOf: condition => conditions.get(condition),
        onPace: listener => void paceListeners.push(listener),
        onStop: listener => void stopListeners.push(listener),
        report: sendReport,
      })
    process.on('message', (message: unknown) => {
      const order = message as Order // our own orchestrator is the only one at the other end
      switch (order.kind) {
        case 'start':
          addresses = order.addresses
          return begin(order.identity)
        case 'addresses':
          addresses = order.addresses
          return
        case 'condition':
          if (order.settings === null) conditions.delete(order.name)
          else conditions.set(order.name, order.settings)
          return
        case 'pace':
          for (const listener of paceListeners) listener(order.journeysPerSecond)
          return
        case 'stop':
          return void stop()
        default:
          order satisfies never
      }
    })
    sendReport({ kind: 'booted' })
  })
}

function sendReport(report: Report): void {
  if (process.connected) process.send?.(report)
}
