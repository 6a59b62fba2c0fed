/**
 * Everything that can go wrong anywhere in the shop: kinds of trouble, each at several places. A trouble begins
 * and ends, so that one shop can meet one after the other.
 */
import type { Chance } from '../runtime/chance.ts'
import type { Settings } from '../runtime/messages.ts'
import type { Shop } from './shop.ts'

export interface Trouble {
  readonly kind: string
  /** Where it begins: a service, or a process without telemetry. */
  readonly place: string
  /** Operation, callee or strength, for people. */
  readonly detail: string
  /** Telemetry that must be there for anybody to see it; nothing is needed for what callers feel. */
  readonly needs: readonly ('own telemetry' | 'logs')[]
  readonly begin: (shop: Shop) => Promise<void>
  /** Takes it away again; whatever it left in the process is gone as well. */
  readonly end: (shop: Shop) => Promise<void>
}

type Facts = Pick<Trouble, 'kind' | 'place' | 'detail'> & { readonly needs?: Trouble['needs'] }

interface Condition {
  /** Who runs into it; the place by default. */
  readonly process?: string
  readonly name: string
  readonly settings: Settings
}

/** Every kind at every place once; how strong each is depends on chance. */
export function allTroubles(chance: Chance): readonly Trouble[] {
  const share = (): number => chance.between(35, 90) / 100
  return [
    ...Object.entries(routesOf).flatMap(([place, routes]) =>
      routeTroubles(place, chance.pick(routes), chance),
    ),
    ...skippable.map(([place, route, body, needs = []]) =>
      under({ kind: 'swallowed-exception', place, detail: route, needs: ['own telemetry', ...needs] }, [
        { name: `skip ${route}`, settings: { body } },
      ]),
    ),
    ...busyPlaces.map(place =>
      under({ kind: 'cpu', place, detail: 'burns most of a core', needs: ['own telemetry'] }, [
        { name: 'busy-loop', settings: { workMs: chance.between(60, 120), restMs: 20 } },
      ]),
    ),
    ...leakyPlaces.map(place => memoryGrowth(place, chance.between(1_500, 3_000))),
    ...messageTroubles(share()),
    ...stormyCalls.map(([place, route, callers]) => retryStorm({ place, route, callers }, share())),
    ...impatientCalls.map(([place, callee, timeoutMs]) =>
      under({ kind: 'impatient-client', place, detail: `gives ${callee} ${timeoutMs} ms, four times` }, [
        { name: `retry ${callee}`, settings: { times: 3, timeoutMs } },
      ]),
    ),
    ...chattyCalls.map(([place, callee]) =>
      under({ kind: 'n-plus-one', place, detail: callee, needs: ['own telemetry'] }, [
        { name: `repeat ${callee}`, settings: { times: chance.between(5, 15) } },
      ]),
    ),
    ...backingTroubles(chance),
    ...releases.map(([place, version, route]) => badRelease({ place, version, route }, chance)),
    ...wiredPlaces.map(place => longWire(place, chance.between(60, 250))),
  ]
}

const routesOf: Readonly<Record<string, readonly [string, ...string[]]>> = {
  gateway: ['GET /', 'GET /products/{sku}', 'GET /cart'],
  catalog: ['GET /products', 'GET /products/{sku}'],
  recommendation: ['GET /recommendations/{sku}'],
  inventory: ['GET /stock/{sku}', 'POST /reservations'],
  cart: ['GET /carts/{shopper}', 'POST /carts/{shopper}/items', 'DELETE /carts/{shopper}'],
  shipping: ['GET /quotes', 'POST /shipments'],
  checkout: ['POST /orders', 'GET /orders/{order}'],
  payment: ['POST /charges'],
  notification: ['POST /messages'],
}

/** A route, and what callers are answered when its work is left out. */
const skippable: readonly (readonly [string, string, unknown, Trouble['needs']?])[] = [
  ['inventory', 'POST /reservations', { order: '', lines: 1 }],
  ['inventory', 'GET /stock/{sku}', { units: 0 }],
  ['recommendation', 'GET /recommendations/{sku}', { products: [] }],
  ['cart', 'DELETE /carts/{shopper}', {}],
  ['shipping', 'GET /quotes', { cents: 990 }],
  ['notification', 'POST /messages', {}, ['logs']],
  ['catalog', 'GET /products', { products: [] }],
]

const busyPlaces = ['recommendation', 'shipping', 'payment', 'cart', 'inventory', 'checkout', 'gateway']
const leakyPlaces = ['cart', 'catalog', 'recommendation', 'shipping', 'inventory', 'gateway']
const wiredPlaces = ['catalog', 'payment', 'shipping', 'cart', 'inventory']

const stormyCalls: readonly (readonly [string, string, readonly string[]])[] = [
  ['payment', 'POST /charges', ['checkout']],
  ['inventory', 'GET /stock/{sku}', ['gateway']],
  ['catalog', 'GET /products/{sku}', ['gateway', 'recommendation', 'checkout']],
  ['shipping', 'GET /quotes', ['gateway', 'checkout']],
  ['cart', 'POST /carts/{shopper}/items', ['gateway']],
]

/** Who has no patience with whom, and for how long: less than an answer usually takes. */
const impatientCalls: readonly (readonly [string, string, number])[] = [
  ['checkout', 'payment', 30],
  ['fulfilment', 'notification', 5],
  ['payment', 'card-network', 25],
]

const chattyCalls: readonly (readonly [string, string])[] = [
  ['catalog', 'stock-db'],
  ['inventory', 'stock-db'],
  ['recommendation', 'catalog'],
  ['gateway', 'shipping'],
  ['gateway', 'inventory'],
  ['cart', 'cart-store'],
  ['checkout', 'catalog'],
]

const releases: readonly (readonly [string, string, string])[] = [
  ['shipping', '1.5.0', 'GET /quotes'],
  ['payment', '2.8.0', 'POST /charges'],
  ['catalog', '3.1.0', 'GET /products/{sku}'],
  ['recommendation', '0.10.0', 'GET /recommendations/{sku}'],
  ['inventory', '2.3.0', 'GET /stock/{sku}'],
  ['checkout', '4.2.0', 'POST /orders'],
  ['gateway', '5.3.0', 'GET /products/{sku}'],
]

/** What a process that fails says; each service has its own trouble, as teams do. */
const complaints = [
  'feature table has no row for this tenant',
  'lease on shard 3 expired',
  'cannot decode field 7 of the stored record',
  'connection pool is exhausted',
  'clock of the signer is ahead',
] as const

/** Operations of the processes without telemetry. */
const backingOperations: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'stock-db': ['SELECT products', 'SELECT stock', 'UPDATE stock'],
  'cart-store': ['GET', 'SET'],
  'card-network': ['authorize'],
  'order-queue': ['send'],
}

function routeTroubles(place: string, route: string, chance: Chance): readonly Trouble[] {
  const fromMs = chance.between(80, 500)
  return [
    under({ kind: 'errors', place, detail: route }, [failing(route, chance)]),
    under({ kind: 'latency', place, detail: `${route} waits ${fromMs} ms and more` }, [
      slow(route, fromMs, chance),
    ]),
  ]
}

function failing(operation: string, chance: Chance): Condition {
  const settings = { share: chance.between(35, 90) / 100, message: chance.pick(complaints) }
  return { name: `fail ${operation}`, settings }
}

function slow(operation: string, fromMs: number, chance: Chance): Condition {
  const settings = { share: chance.between(50, 100) / 100, fromMs, toMs: 2 * fromMs }
  return { name: `slow ${operation}`, settings }
}

function backingTroubles(chance: Chance): readonly Trouble[] {
  return Object.entries(backingOperations).flatMap(([place, operations]) => {
    const operation = chance.pick(operations)
    const fromMs = chance.between(80, 500)
    return [
      under({ kind: 'slow-dependency', place, detail: `${operation} takes ${fromMs} ms more` }, [
        slow(operation, fromMs, chance),
      ]),
      under({ kind: 'dependency-errors', place, detail: operation }, [failing(operation, chance)]),
      {
        kind: 'dependency-down',
        place,
        detail: 'ends',
        needs: [],
        begin: shop => shop.crash(place),
        end: shop => shop.revive(place),
      },
    ]
  })
}

function messageTroubles(share: number): readonly Trouble[] {
  const kind = 'lost-messages'
  const needs = ['own telemetry'] as const
  return [
    under({ kind, place: 'order-queue', detail: `forgets ${share} of what it takes` }, [
      { name: 'lose orders', settings: { share } },
    ]),
    under({ kind, place: 'fulfilment', detail: 'takes batches and works on none', needs }, [
      { name: 'overlook orders', settings: {} },
    ]),
    under({ kind, place: 'checkout', detail: 'places orders and sends none', needs }, [
      { name: 'unsent orders', settings: {} },
    ]),
  ]
}

/** The heap grows with every request, and so does what each request looks through. Only a restart helps. */
function memoryGrowth(place: string, kilobytesPerRequest: number): Trouble {
  const detail = `keeps ${kilobytesPerRequest} kB of every request`
  const leak = under({ kind: 'memory-growth', place, detail, needs: ['own telemetry'] }, [
    { name: 'keep-sessions', settings: { kilobytesPerRequest } },
  ])
  return {
    ...leak,
    end: async shop => {
      await leak.end(shop)
      await shop.replace(place)
    },
  }
}

interface StormyCall {
  readonly place: string
  readonly route: string
  readonly callers: readonly string[]
}

/** Callers that try again at once, and again, while the callee fails: it gets a multiple of its requests. */
function retryStorm({ place, route, callers }: StormyCall, share: number): Trouble {
  const detail = `${route} fails, ${callers.join(', ')} ask up to six times`
  return under({ kind: 'retry-storm', place, detail }, [
    { name: `fail ${route}`, settings: { share, message: 'too many requests in flight' } },
    ...callers.map(process => ({ process, name: `retry ${place}`, settings: { times: 5 } })),
  ])
}

interface ReleasePlan {
  readonly place: string
  readonly version: string
  readonly route: string
}

/** A new version that fails or is slow; it is rolled back in the end. */
function badRelease({ place, version, route }: ReleasePlan, chance: Chance): Trouble {
  const isSlow = chance.next() < 0.4
  const { name, settings } = isSlow ? slow(route, 250, chance) : failing(route, chance)
  return {
    kind: 'bad-release',
    place,
    detail: `${version}, whose ${route} ${isSlow ? 'is slow' : 'fails'}`,
    needs: [],
    begin: shop => shop.replace(place, { version, conditions: { [name]: settings } }),
    end: async shop => {
      shop.setCondition(place, name, null)
      await shop.replace(place)
    },
  }
}

function longWire(place: string, delayMs: number): Trouble {
  return {
    kind: 'network-delay',
    place,
    detail: `${delayMs} ms each way`,
    needs: [],
    begin: shop => shop.lengthenWire(place, delayMs),
    end: shop => shop.lengthenWire(place, 0),
  }
}

function under(facts: Facts, conditions: readonly Condition[]): Trouble {
  const set = async (shop: Shop, on: boolean): Promise<void> => {
    for (const { process = facts.place, name, settings } of conditions) {
      shop.setCondition(process, name, on ? settings : null)
    }
  }
  return { needs: [], ...facts, begin: shop => set(shop, true), end: shop => set(shop, false) }
}
