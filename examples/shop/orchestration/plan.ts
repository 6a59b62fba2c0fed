/** Which processes the shop consists of, and how each sends its telemetry. */

export type Protocol = 'grpc' | 'http/protobuf' | 'http/json'

export interface ServicePlan {
  readonly service: string
  readonly version: string
  readonly instances: number
  readonly protocol: Protocol
  readonly gzip: boolean
  /** Of its counters and histograms. */
  readonly temporality: 'cumulative' | 'delta'
}

/** Every way in is used by some service, as in a company where each team chose for itself. */
export const services: readonly ServicePlan[] = [
  plan('gateway', '5.2.0', 'http/protobuf', { gzip: true }),
  plan('catalog', '3.0.4', 'grpc', { instances: 2 }),
  plan('recommendation', '0.9.7', 'http/json', {}),
  plan('cart', '1.8.2', 'grpc', { gzip: true }),
  plan('checkout', '4.1.0', 'http/protobuf', {}),
  plan('inventory', '2.2.1', 'http/json', { gzip: true }),
  plan('payment', '2.7.3', 'grpc', { temporality: 'delta' }),
  plan('shipping', '1.4.0', 'http/protobuf', { temporality: 'delta' }),
  plan('fulfilment', '1.1.5', 'http/protobuf', { gzip: true }),
  plan('notification', '2.0.0', 'http/json', {}),
]

/** Processes that send no telemetry: what is known of them is what their callers tell. */
export const backing: readonly string[] = ['stock-db', 'cart-store', 'order-queue', 'card-network']

/** Who is a client of a process without telemetry, and how semantic conventions let clients name it. */
export const clientsOf: Readonly<
  Record<string, { readonly services: readonly string[]; readonly name: string }>
> = {
  'stock-db': { services: ['catalog', 'inventory'], name: 'other_sql/stock' },
  'cart-store': { services: ['cart'], name: 'keyvalue/cart-store' },
  'order-queue': { services: ['checkout'], name: 'shopmq:orders' },
  'card-network': { services: ['payment'], name: 'card-network' },
}

function plan(service: string, version: string, protocol: Protocol, rest: Partial<ServicePlan>): ServicePlan {
  return { service, version, protocol, instances: 1, gzip: false, temporality: 'cumulative', ...rest }
}
