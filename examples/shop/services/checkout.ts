/** Turns a cart into an order: prices, shipping, stock, payment, then the queue to fulfilment. */
import { LRUCache } from 'lru-cache'
import { listField, numberField, textField } from '../runtime/fields.ts'
import type { Call } from '../runtime/http-calls.ts'
import { pause } from '../runtime/pause.ts'
import { Problem } from '../runtime/problem.ts'
import { openProducer } from '../runtime/queue.ts'
import { runService, type Workplace } from '../runtime/service.ts'

interface PricedLine {
  readonly sku: string
  readonly quantity: number
  readonly cents: number
  readonly grams: number
}

await runService(workplace => {
  const { caller, control, journal, meter } = workplace
  const send = openProducer(control)
  const placed = meter.createCounter('shop.orders.placed', { unit: '{order}' })
  /** Orders that a shopper may still ask for. */
  const orders = new LRUCache<string, { readonly cents: number }>({ max: 2_000 })

  return {
    'POST /orders': async ({ body }) => {
      const shopper = textField(body, 'shopper')
      const country = textField(body, 'country')
      const order = newOrderId(workplace)
      const lines = await priceCart(workplace, shopper)
      const grams = lines.reduce((sum, line) => sum + line.grams, 0)
      const quote = await caller.fetch('shipping', { path: `/quotes?country=${country}&grams=${grams}` })
      const cents = lines.reduce((sum, line) => sum + line.cents, numberField(quote, 'cents'))
      const reservation = { order, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }
      await caller.fetch('inventory', { method: 'POST', path: '/reservations', body: reservation })
      try {
        await charge(workplace, { order, card: textField(body, 'card'), amountCents: cents })
      } catch (error) {
        journal.warn(`order ${order} of shopper ${shopper} is not paid, releasing its stock`)
        await caller.fetch('inventory', { method: 'POST', path: '/releases', body: reservation })
        throw error
      }
      await caller.fetch('cart', { method: 'DELETE', path: `/carts/${shopper}` })
      await send('orders', order, { order, shopper, grams })
      orders.set(order, { cents })
      placed.add(1, { 'shop.country': country })
      journal.info(`order ${order} placed by shopper ${shopper}: ${lines.length} lines, ${cents} cents`, {
        'shop.order.id': order,
      })
      return { order, cents }
    },
    'GET /orders/{order}': async ({ parameters }) => {
      const order = orders.get(parameters['order'] ?? '')
      if (order === undefined) throw new Problem(404, `no order ${parameters['order']}`)
      return order
    },
  }
})

function newOrderId({ chance }: Workplace): string {
  return `o-${chance.between(0x10000000, 0xffffffff).toString(16)}`
}

async function priceCart({ caller }: Workplace, shopper: string): Promise<readonly PricedLine[]> {
  const cart = await caller.fetch('cart', { path: `/carts/${shopper}` })
  const lines = listField(cart, 'lines')
  if (lines.length === 0) throw new Problem(409, 'the cart is empty')
  return await Promise.all(
    lines.map(async line => {
      const sku = textField(line, 'sku')
      const quantity = numberField(line, 'quantity')
      const product = await caller.fetch('catalog', { path: `/products/${sku}` })
      return {
        sku,
        quantity,
        cents: quantity * numberField(product, 'priceCents'),
        grams: quantity * numberField(product, 'weightGrams'),
      }
    }),
  )
}

interface Charge {
  readonly order: string
  readonly card: string
  readonly amountCents: number
}

/** Tries a second time when payment fails; a refusal of the card is final. */
async function charge({ caller, journal }: Workplace, body: Charge): Promise<void> {
  const call: Call = { method: 'POST', path: '/charges', body }
  const first = await caller.ask('payment', call)
  if (first.status < 400) return
  if (first.status < 500) throw new Problem(first.status, 'card declined')
  journal.warn(`payment answered ${first.status} for order ${body.order}, trying again`)
  await pause(50)
  await caller.fetch('payment', call)
}
