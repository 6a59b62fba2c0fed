/** Takes paid orders from the queue in batches, has them shipped and tells the shopper. */
import { numberField, textField } from '../runtime/fields.ts'
import { type Message, runConsumer } from '../runtime/queue.ts'
import { runService } from '../runtime/service.ts'

await runService(({ caller, control, journal, meter }) => {
  const fulfil = async (message: Message): Promise<void> => {
    const order = textField(message.body, 'order')
    await caller.fetch('shipping', {
      method: 'POST',
      path: '/shipments',
      body: { order, grams: numberField(message.body, 'grams') },
    })
    await caller.fetch('notification', {
      method: 'POST',
      path: '/messages',
      body: { shopper: textField(message.body, 'shopper'), kind: 'order-shipped' },
    })
    journal.info(`order ${order} is fulfilled`, { 'shop.order.id': order })
  }
  runConsumer(control, meter, {
    queue: 'orders',
    group: 'fulfilment',
    maxBatch: 8,
    process: async messages => {
      journal.info(`took ${messages.length} orders from the queue`)
      for (const message of messages) {
        await fulfil(message).catch((error: unknown) => {
          journal.error(`order ${message.id} could not be fulfilled: ${String(error)}`)
          throw error
        })
      }
    },
  })
  return {}
})
