/** The key-value store of the carts. It reports no telemetry. */
import { LRUCache } from 'lru-cache'
import { chanceOf } from '../runtime/chance.ts'
import { takeControl } from '../runtime/control.ts'
import { field } from '../runtime/fields.ts'
import { serveLines } from '../runtime/lines.ts'
import { pause } from '../runtime/pause.ts'
import { conditionsOf } from '../runtime/route-conditions.ts'

/** More carts than shoppers are ever in the shop at once. */
const carts = new LRUCache<string, object>({ max: 5_000 })

const control = await takeControl()
const chance = chanceOf(control.identity.instance)

const meet = conditionsOf(control)

const port = await serveLines(async command => {
  await pause(chance.delayMs(1))
  await meet(String(field(command, 'operation')))
  const key = String(field(command, 'key'))
  switch (field(command, 'operation')) {
    case 'GET':
      return carts.get(key) ?? null
    case 'SET': {
      const value = field(command, 'value')
      if (typeof value === 'object' && value !== null) carts.set(key, value)
      return null
    }
    case 'DEL':
      carts.delete(key)
      return null
    default:
      throw new Error('no such command')
  }
})
control.report({ kind: 'ready', port })
