/** Quotes from a rate table that is reloaded now and then, and shipments handed to a carrier. */
import { numberField, textField } from '../runtime/fields.ts'
import { pause } from '../runtime/pause.ts'
import { runService } from '../runtime/service.ts'

const baseCents: Readonly<Record<string, number>> = { DE: 490, FR: 690, NL: 590, PL: 790 }

await runService(({ chance, control, journal, tracer }) => {
  /** Settles when the reload under way, if any, lets readers in again. */
  let reload: Promise<void> = Promise.resolve()
  const keepReloading = async (): Promise<void> => {
    for (;;) {
      const often = control.meets('rate-table-reloads')
      if (often) {
        reload = pause(chance.between(500, 900))
        await reload
      }
      await pause(often ? 60 : 200)
    }
  }
  void keepReloading()

  const readRate = (country: string): Promise<number> =>
    tracer.startActiveSpan('read rate table', async span => {
      await reload
      await pause(chance.delayMs(4))
      span.end()
      return baseCents[country] ?? 990
    })

  return {
    'GET /quotes': async ({ query }) => {
      const country = query.get('country') ?? 'DE'
      const weightGrams = Number(query.get('grams') ?? 0)
      const cents = (await readRate(country)) + Math.ceil(weightGrams / 500) * 120
      journal.info(`quoted ${cents} cents for ${weightGrams} g to ${country}`)
      return { cents }
    },
    'POST /shipments': async ({ body }) => {
      const order = textField(body, 'order')
      const weightGrams = numberField(body, 'grams')
      await pause(chance.delayMs(8))
      const shipment = `s-${chance.between(10_000_000, 99_999_999)}`
      journal.info(`order ${order} leaves as shipment ${shipment}, ${weightGrams} g`)
      return { shipment }
    },
  }
})
