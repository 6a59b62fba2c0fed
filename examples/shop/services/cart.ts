/** Carts, kept in the key-value store under the shopper's number. */
import { field, listField, numberField, textField } from '../runtime/fields.ts'
import { runService } from '../runtime/service.ts'
import { openKeyValueStore } from '../runtime/store-clients.ts'

interface Line {
  readonly sku: string
  readonly quantity: number
  /** Absent on lines that were added without any. */
  readonly options?: { readonly giftWrap: boolean }
}

interface ShownLine {
  readonly sku: string
  readonly quantity: number
  readonly giftWrap: boolean
}

const showLine = ({ sku, quantity, options }: Line): ShownLine => ({
  sku,
  quantity,
  giftWrap: options?.giftWrap ?? false,
})

/** Since 1.9.0 lines show their options as they are stored. */
const showLineWithOptions = ({ sku, quantity, options }: Line): ShownLine => {
  const stored = options as { readonly giftWrap: boolean } // every line has options in the new layout
  return { sku, quantity, giftWrap: stored.giftWrap }
}

await runService(({ control, journal, meter }) => {
  const store = openKeyValueStore(control, meter)
  const show = control.identity.version.startsWith('1.8.') ? showLine : showLineWithOptions

  const readLines = async (shopper: string): Promise<readonly Line[]> => {
    const cart = await store.get(`cart:${shopper}`)
    return cart === null ? [] : (listField(cart, 'lines') as readonly Line[]) // written below, nowhere else
  }
  return {
    'GET /carts/{shopper}': async ({ parameters }) => {
      const shopper = parameters['shopper'] ?? ''
      const lines = (await readLines(shopper)).map(show)
      journal.info(`cart of shopper ${shopper} has ${lines.length} lines`)
      return { lines }
    },
    'POST /carts/{shopper}/items': async ({ parameters, body }) => {
      const shopper = parameters['shopper'] ?? ''
      const sku = textField(body, 'sku')
      const quantity = numberField(body, 'quantity')
      const giftWrap = field(body, 'giftWrap')
      const line: Line =
        typeof giftWrap === 'boolean' ? { sku, quantity, options: { giftWrap } } : { sku, quantity }
      const lines = [...(await readLines(shopper)), line]
      await store.set(`cart:${shopper}`, { lines })
      journal.info(`added ${quantity} x ${sku} to the cart of shopper ${shopper}`)
      return { lines: lines.length }
    },
    'DELETE /carts/{shopper}': async ({ parameters }) => {
      await store.delete(`cart:${parameters['shopper']}`)
      journal.info(`emptied the cart of shopper ${parameters['shopper']}`)
      return {}
    },
  }
})
