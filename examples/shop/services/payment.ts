/** Charges cards: signs the request, then asks the card network. */
import { createHmac } from 'node:crypto'
import { numberField, textField } from '../runtime/fields.ts'
import { Problem } from '../runtime/problem.ts'
import { runService } from '../runtime/service.ts'

await runService(({ caller, control, journal, meter, tracer }) => {
  const charged = meter.createHistogram('shop.payment.amount', {
    unit: '{EUR}',
    advice: { explicitBucketBoundaries: [10, 25, 50, 100, 250] },
  })
  const declined = meter.createCounter('shop.payment.declined', { unit: '{charge}' })

  /** Cards are spread over two keys by their last digit. */
  const keyOf = (card: string): number => (Number(card.at(-1)) < 6 ? 7 : 8)
  const sign = (card: string, text: string): string => {
    const key = keyOf(card)
    if (key === 7 && control.meets('signing-key-7-expired')) {
      throw new Error(`signing key ${key} expired, cannot sign the request for card ending ${card}`)
    }
    return createHmac('sha256', `key-${key}`).update(text).digest('hex')
  }

  return {
    'POST /charges': async ({ body }) => {
      const order = textField(body, 'order')
      const card = textField(body, 'card')
      const amountCents = numberField(body, 'amountCents')
      const signature = tracer.startActiveSpan('sign request', span => {
        try {
          return sign(card, `${order}:${amountCents}`)
        } finally {
          span.end()
        }
      })
      const reply = await caller.ask('card-network', {
        method: 'POST',
        path: '/authorizations',
        body: { order, amountCents, signature },
      })
      const amount = (amountCents / 100).toFixed(2)
      if (reply.status === 402) {
        declined.add(1)
        journal.warn(`card ending ${card} declined for order ${order}`)
        throw new Problem(402, 'card declined')
      }
      if (reply.status !== 200) throw new Problem(502, `card network answered ${reply.status}`)
      charged.record(amountCents / 100)
      journal.info(`charged ${amount} EUR to card ending ${card} for order ${order}`)
      return { order, amountCents }
    },
  }
})
