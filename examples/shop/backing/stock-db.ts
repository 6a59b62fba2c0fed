/** The database of catalog and inventory: products and stock in memory. It reports no telemetry. */
import { chanceOf } from '../runtime/chance.ts'
import { takeControl } from '../runtime/control.ts'
import { field } from '../runtime/fields.ts'
import { serveLines } from '../runtime/lines.ts'
import { pause } from '../runtime/pause.ts'
import { conditionsOf } from '../runtime/route-conditions.ts'

interface Product {
  readonly sku: string
  readonly name: string
  readonly category: string
  readonly priceCents: number
  readonly weightGrams: number
}

const categories = ['kitchen', 'garden', 'travel', 'office'] as const
const goods = ['kettle', 'lantern', 'backpack', 'notebook', 'grinder', 'planter'] as const

const products: readonly Product[] = categories.flatMap((category, row) =>
  goods.map((good, column) => ({
    sku: `sku-${101 + row * goods.length + column}`,
    name: `${category} ${good}`,
    category,
    priceCents: 490 + 310 * column + 170 * row,
    weightGrams: 120 + 90 * column,
  })),
)
const stock = new Map(products.map(product => [product.sku, 500]))

const control = await takeControl()
const chance = chanceOf(control.identity.instance)

const meet = conditionsOf(control)

const port = await serveLines(async statement => {
  await pause(chance.delayMs(3))
  const operation = String(field(statement, 'operation'))
  const table = String(field(statement, 'table'))
  const parameters = field(statement, 'parameters')
  const [first, second] = Array.isArray(parameters) ? (parameters as readonly unknown[]) : []
  await meet(`${operation} ${table}`)
  switch (`${operation} ${table}`) {
    case 'SELECT products':
      return products.filter(product => product.sku === first || product.category === first)
    case 'SELECT stock':
      return [{ sku: first, units: stock.get(String(first)) ?? 0 }]
    case 'UPDATE stock': {
      const left = (stock.get(String(first)) ?? 0) - Number(second)
      // Suppliers deliver as soon as a shelf runs low.
      stock.set(String(first), left < 50 ? left + 500 : left)
      return []
    }
    case 'INSERT reservations':
      return []
    default:
      throw new Error(`no such statement: ${operation} ${table}`)
  }
})
control.report({ kind: 'ready', port })
