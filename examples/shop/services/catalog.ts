/** Products and prices, read from the database at every request. Runs as two instances. */
import { Problem } from '../runtime/problem.ts'
import { runService } from '../runtime/service.ts'
import { openDatabase } from '../runtime/store-clients.ts'

await runService(({ control, journal, meter }) => {
  const database = openDatabase(control, meter)
  const columns = 'SELECT sku, name, category, price_cents, weight_grams FROM products'
  return {
    'GET /products': async ({ query }) => {
      const category = query.get('category') ?? 'kitchen'
      const rows = await database.run({
        operation: 'SELECT',
        table: 'products',
        text: `${columns} WHERE category = $1`,
        parameters: [category],
      })
      journal.info(`listed ${rows.length} products of category ${category}`)
      return { products: rows }
    },
    'GET /products/{sku}': async ({ parameters }) => {
      const { sku } = parameters
      const rows = await database.run({
        operation: 'SELECT',
        table: 'products',
        text: `${columns} WHERE sku = $1`,
        parameters: [sku],
      })
      const product = rows[0]
      if (product === undefined) {
        journal.warn(`product ${sku} does not exist`)
        throw new Problem(404, `no product ${sku}`)
      }
      journal.info(`found product ${sku}`, { 'shop.sku': sku ?? '' })
      return product
    },
  }
})
