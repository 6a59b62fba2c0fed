/** Messages to shoppers. */
import { textField } from '../runtime/fields.ts'
import { pause } from '../runtime/pause.ts'
import { runService } from '../runtime/service.ts'

await runService(({ chance, journal, meter }) => {
  const sent = meter.createCounter('shop.messages.sent', { unit: '{message}' })
  return {
    'POST /messages': async ({ body }) => {
      const shopper = textField(body, 'shopper')
      const kind = textField(body, 'kind')
      await pause(chance.delayMs(6))
      sent.add(1, { 'shop.message.kind': kind })
      journal.info(`sent ${kind} mail to shopper ${shopper}`)
      return {}
    },
  }
})
