/**
 * The shoppers: journeys through the shop at a bounded rate. They report no telemetry, because browsers of
 * most shops do not: a trace begins at the gateway, and what shoppers suffer must be seen from there.
 */
import http from 'node:http'
import { type Chance, chanceOf } from './runtime/chance.ts'
import { type Control, takeControl } from './runtime/control.ts'
import { field } from './runtime/fields.ts'
import { pause } from './runtime/pause.ts'

/** Journeys under way at once; more would pile up only while the shop stands still. */
const journeyLimit = 80
const requestTimeoutMs = 10_000
const countries = ['DE', 'FR', 'NL', 'PL'] as const
const categories = ['kitchen', 'garden', 'travel', 'office'] as const

const control = await takeControl()
const chance = chanceOf(control.identity.instance)
const agent = new http.Agent({ keepAlive: true, maxSockets: journeyLimit })
const figures = { requests: 0, failures: 0, skippedJourneys: 0 }
let journeysPerSecond = 0
let underWay = 0
let nextShopper = 1_000

control.onPace(pace => {
  journeysPerSecond = pace
})
control.report({ kind: 'ready', port: 0 })
setInterval(() => control.report({ kind: 'figures', figures }), 500).unref()
void beginJourneys(control, chance)

/** Open loop: shoppers come by chance, whether or not the shop keeps up. */
async function beginJourneys(shop: Control, luck: Chance): Promise<void> {
  for (;;) {
    if (journeysPerSecond === 0) {
      await pause(100)
      continue
    }
    // Exponential gaps make arrivals a Poisson process.
    await pause((-Math.log(1 - luck.next()) / journeysPerSecond) * 1000)
    if (underWay >= journeyLimit) {
      figures.skippedJourneys++
      continue
    }
    underWay++
    void walk(shop, luck, String(nextShopper++)).finally(() => underWay--)
  }
}

async function walk(shop: Control, luck: Chance, shopper: string): Promise<void> {
  const visit = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const reply = await send(shop, { method, path, body, shopper })
    await pause(luck.delayMs(250))
    return reply
  }
  // One link in a hundred is an old one.
  const sku = (): string => `sku-${luck.next() < 0.01 ? 999 : luck.between(101, 124)}`
  const country = luck.pick(countries)
  const seen = sku()
  await visit('GET', `/?category=${luck.pick(categories)}&seen=${seen}`)
  await visit('GET', `/products/${seen}`)
  if (luck.next() < (shop.meets('window-shopping') ? 0.75 : 0.3)) return
  const lines = luck.between(1, 3)
  for (let line = 0; line < lines; line++) {
    const chosen = sku()
    if (line > 0) await visit('GET', `/products/${chosen}`)
    const wrap = luck.next() < 0.7 ? { giftWrap: luck.next() < 0.2 } : {}
    await visit('POST', '/cart/items', { sku: chosen, quantity: luck.between(1, 3), ...wrap })
  }
  await visit('GET', `/cart?country=${country}`)
  if (luck.next() < 0.15) return
  const card = String(luck.between(1000, 9999))
  const order = field(await visit('POST', '/checkout', { country, card }), 'order')
  if (typeof order === 'string' && luck.next() < 0.5) await visit('GET', `/orders/${order}`)
}

interface Visit {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly shopper: string
}

/** Resolves to the body of the answer, or null where there was none or it was no success. */
function send(shop: Control, { method, path, body, shopper }: Visit): Promise<unknown> {
  figures.requests++
  const port = shop.addressesOf('gateway')[0]?.port ?? 0
  return new Promise(resolve => {
    const request = http.request({
      agent,
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { 'x-shopper': shopper, 'content-type': 'application/json' },
      timeout: requestTimeoutMs,
    })
    request.on('timeout', () => request.destroy(new Error('timeout')))
    request.on('error', () => {
      figures.failures++
      resolve(null)
    })
    request.on('response', response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', () => resolve(null))
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status >= 500) figures.failures++
        resolve(status === 200 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : null)
      })
    })
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
