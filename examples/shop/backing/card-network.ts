/** The card network, a company of its own behind HTTP. It reports no telemetry to us. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { chanceOf } from '../runtime/chance.ts'
import { takeControl } from '../runtime/control.ts'
import { pause } from '../runtime/pause.ts'
import { conditionsOf } from '../runtime/route-conditions.ts'

const control = await takeControl()
const chance = chanceOf(control.identity.instance)
const meet = conditionsOf(control)
/** Banks refuse a few cards on every day of the year, and now and then a request is lost on the way. */
const declinedShare = 0.03
const lostShare = 0.01

const server = http.createServer((request, response) => {
  request.resume()
  request.on('end', async () => {
    await pause(chance.delayMs(35))
    const failed = await meet('authorize').then(
      () => false,
      () => true,
    )
    const luck = chance.next()
    const [status, body] =
      failed || luck < lostShare
        ? [503, { error: 'try again' }]
        : luck < lostShare + declinedShare
          ? [402, { error: 'card declined by the issuing bank' }]
          : [200, { authorization: `a-${chance.between(100_000, 999_999)}` }]
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo // a TCP server that listens
  control.report({ kind: 'ready', port })
})
