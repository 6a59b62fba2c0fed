/** What the orchestrator and the processes of the shop tell each other, over Node's IPC channel only. */

/** Where one process of a service listens. Always on the loopback. */
export interface Address {
  readonly instance: string
  readonly port: number
}

/** Service name to the addresses that take requests now. */
export type Addresses = Readonly<Record<string, readonly Address[]>>

/** Who a process is. Its exporters are configured by the `OTEL_*` variables of its environment. */
export interface Identity {
  readonly service: string
  readonly version: string
  readonly instance: string
}

/** How strong a condition is; which fields there are is up to the code that meets it. */
export type Settings = Readonly<Record<string, unknown>>

export type Order =
  | { readonly kind: 'start'; readonly identity: Identity; readonly addresses: Addresses }
  | { readonly kind: 'addresses'; readonly addresses: Addresses }
  /** A state of the world that the process runs into, such as an expired key; null when it has passed. */
  | { readonly kind: 'condition'; readonly name: string; readonly settings: Settings | null }
  /** For the shoppers: journeys begun per second. */
  | { readonly kind: 'pace'; readonly journeysPerSecond: number }
  | { readonly kind: 'stop' }

/** What the shoppers saw since they started. */
export interface ShopperFigures {
  readonly requests: number
  /** Answers of 500 and above, and requests without an answer. */
  readonly failures: number
  readonly skippedJourneys: number
}

export type Report =
  | { readonly kind: 'booted' }
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'figures'; readonly figures: ShopperFigures }
