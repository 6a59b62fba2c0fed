/** What can happen to the shop. Which answer is right stands elsewhere, and is read by the judge alone. */
import type { Settings } from '../runtime/messages.ts'
import { pause } from '../runtime/pause.ts'
import type { Shop } from './shop.ts'

export interface Scenario {
  readonly name: string
  /** What is done to the shop, for people. */
  readonly happening: string
  /** False: nothing is wrong, and the answer must say so. */
  readonly harmful: boolean
  readonly begin: (shop: Shop) => Promise<void>
}

/** About six requests each; together some 20 requests per second at the gateway and 100 in the shop. */
export const journeysPerSecond = 3

const condition =
  (service: string, name: string, settings: Settings = {}) =>
  async (shop: Shop): Promise<void> =>
    shop.setCondition(service, name, settings)

export const scenarios: readonly Scenario[] = [
  {
    name: 'errors',
    happening: 'payment can no longer sign requests for six cards in ten, and answers 500',
    harmful: true,
    begin: condition('payment', 'signing-key-7-expired'),
  },
  {
    name: 'latency',
    happening: 'shipping keeps reloading its rate table, and quotes wait for it half a second and more',
    harmful: true,
    begin: condition('shipping', 'rate-table-reloads'),
  },
  {
    name: 'swallowed-exception',
    happening: 'inventory throws before it reserves stock, catches that itself, and answers 200',
    harmful: true,
    begin: condition('inventory', 'ledger-epoch-moved'),
  },
  {
    name: 'cpu',
    happening: 'recommendation refits its model without end and burns four fifths of a processor core',
    harmful: true,
    begin: condition('recommendation', 'refit-always'),
  },
  {
    name: 'dependency-down',
    happening: 'the database stock-db, which sends no telemetry, is killed',
    harmful: true,
    begin: async shop => await shop.crash('stock-db'),
  },
  {
    name: 'bad-release',
    happening: 'cart 1.8.2 is replaced by 1.9.0, which cannot show lines that were added without options',
    harmful: true,
    begin: async shop => await shop.replace('cart', { version: '1.9.0' }),
  },
  {
    name: 'memory-growth',
    happening: 'catalog keeps a megabyte of every request and looks through all of them at the next',
    harmful: true,
    begin: condition('catalog', 'keep-sessions', { kilobytesPerRequest: 1_000 }),
  },
  {
    name: 'lost-messages',
    happening: 'the broker order-queue, which sends no telemetry, takes orders and forgets four in five',
    harmful: true,
    begin: condition('order-queue', 'lose orders', { share: 0.8 }),
  },
  {
    name: 'retry-storm',
    happening: 'inventory fails six stock requests in ten, and gateway asks up to six times without a pause',
    harmful: true,
    begin: async shop => {
      shop.setCondition('gateway', 'retry inventory', { times: 5 })
      shop.setCondition('inventory', 'fail GET /stock/{sku}', {
        share: 0.6,
        message: 'too many requests in flight',
      })
    },
  },
  {
    name: 'many-calls',
    happening: 'catalog reads from the database row by row: nine statements instead of one',
    harmful: true,
    begin: condition('catalog', 'repeat stock-db', { times: 8 }),
  },
  {
    name: 'slow-dependency',
    happening: 'the key-value store cart-store, which sends no telemetry, takes 200 ms and more for a read',
    harmful: true,
    begin: condition('cart-store', 'slow GET', { share: 0.9, fromMs: 200, toMs: 400 }),
  },
  {
    name: 'none',
    happening: 'nothing',
    harmful: false,
    begin: async () => await pause(0),
  },
  {
    name: 'double-traffic',
    happening: 'twice as many shoppers come',
    harmful: false,
    begin: async shop => shop.setPace(2 * journeysPerSecond),
  },
  {
    name: 'restart',
    happening: 'payment is replaced by a fresh instance of the same version, without a gap',
    harmful: false,
    begin: async shop => await shop.replace('payment'),
  },
  {
    name: 'clock-skew',
    happening: 'the clock of shipping jumps ahead by twelve seconds',
    harmful: false,
    begin: condition('shipping', 'clock-off', { aheadMs: 12_000 }),
  },
]

export const defaultScenario = 'errors'

/** Throws with the names there are. */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find(each => each.name === name)
  if (found !== undefined) return found
  throw new Error(`there is no fault "${name}"; there are ${scenarios.map(each => each.name).join(', ')}`)
}
