/** The door to the shop: every page and action of a shopper is one request here. */
import type { IncomingHttpHeaders } from 'node:http'
import { field, listField, textField } from '../runtime/fields.ts'
import { runService, type Workplace } from '../runtime/service.ts'

const shopperOf = (headers: IncomingHttpHeaders): string => String(headers['x-shopper'] ?? 'guest')

await runService(workplace => {
  const { caller, journal } = workplace
  return {
    'GET /': async ({ query }) => {
      const category = query.get('category') ?? 'kitchen'
      const [listing, suggestions] = await Promise.all([
        caller.fetch('catalog', { path: `/products?category=${category}` }),
        suggest(workplace, query.get('seen') ?? 'sku-101'),
      ])
      return { products: listField(listing, 'products'), suggestions }
    },
    'GET /products/{sku}': async ({ parameters }) => {
      const { sku = '' } = parameters
      const product = await caller.fetch('catalog', { path: `/products/${sku}` })
      const [stock, suggestions] = await Promise.all([
        caller.fetch('inventory', { path: `/stock/${sku}` }),
        suggest(workplace, sku),
      ])
      return { product, stock, suggestions }
    },
    'POST /cart/items': async ({ headers, body }) => {
      const sku = textField(body, 'sku')
      await caller.fetch('catalog', { path: `/products/${sku}` })
      return await caller.fetch('cart', { method: 'POST', path: `/carts/${shopperOf(headers)}/items`, body })
    },
    'GET /cart': async ({ headers, query }) => {
      const cart = await caller.fetch('cart', { path: `/carts/${shopperOf(headers)}` })
      const grams = listField(cart, 'lines').length * 350
      const country = query.get('country') ?? 'DE'
      const quote = await caller.fetch('shipping', { path: `/quotes?country=${country}&grams=${grams}` })
      return { cart, shippingCents: field(quote, 'cents') }
    },
    'POST /checkout': async ({ headers, body }) => {
      const shopper = shopperOf(headers)
      const order = await caller.fetch('checkout', {
        method: 'POST',
        path: '/orders',
        body: { shopper, country: textField(body, 'country'), card: textField(body, 'card') },
        timeoutMs: 8_000,
      })
      journal.info(`shopper ${shopper} ordered ${String(field(order, 'order'))}`)
      return order
    },
    'GET /orders/{order}': async ({ parameters }) =>
      await caller.fetch('checkout', { path: `/orders/${parameters['order']}` }),
  }
})

/** A page without suggestions is better than no page. */
async function suggest({ caller, journal }: Workplace, sku: string): Promise<readonly unknown[]> {
  try {
    const reply = await caller.fetch('recommendation', { path: `/recommendations/${sku}`, timeoutMs: 1_500 })
    return listField(reply, 'products')
  } catch (error) {
    journal.warn(`page for ${sku} goes without suggestions: ${error instanceof Error ? error.message : ''}`)
    return []
  }
}
