/**
 * The process whose writes are recorded: `node recorded-run.ts DIRECTORY FULL|OFF`. It ingests, seals, stops and
 * starts again a few times; every acknowledged request is noted by one write to `acknowledged` in the same trace.
 */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { logRequest, metricRequest, spanRequest } from '../engine/requests.ts'
import { startSmallEngine } from './small-engine.ts'

const lives = 4
const requestsPerLife = 24
/** Committed together now and then. */
const atOnce = 3
const items = 4
/** Seals every few requests. */
const sealLimits = { items: 20, bytes: 1024 * 1024, ageMs: 60 }

const [directory = '', mode = 'FULL'] = process.argv.slice(2)
const notes = openSync(join(directory, 'acknowledged'), 'w')

let seed = 1
for (let life = 0; life < lives; life++) {
  const engine = await startSmallEngine({
    directory,
    synchronous: mode === 'OFF' ? 'OFF' : 'FULL',
    sealLimits,
  })
  for (let sent = 0; sent < requestsPerLife; sent += atOnce) {
    const first = seed
    seed += atOnce
    await Promise.all(Array.from({ length: atOnce }, (_, i) => send(first + i)))
    // Lets the engine come between.
    await new Promise(resolve => setTimeout(resolve, 15))
  }
  await engine.stop()

  async function send(number: number): Promise<void> {
    const timeMs = Date.now()
    const [signal, body] =
      number % 3 === 0
        ? (['logs', logRequest({ seed: number, lines: items, timeMs })] as const)
        : number % 3 === 1
          ? (['traces', spanRequest({ seed: number, spans: items, timeMs })] as const)
          : (['metrics', metricRequest({ seed: number, points: items, timeMs })] as const)
    const result = await engine.admission.submit({
      signal,
      transport: 'http',
      encoding: 'protobuf',
      compression: 'none',
      body: [body],
      tenant: 'default',
      principal: 'recorder',
      peer: '127.0.0.1',
      receivedAtMs: timeMs,
      maxBytes: 1024 * 1024,
    })
    if (result.outcome !== 'accepted') throw new Error(`request ${number}: ${result.outcome}`)
    writeSync(notes, `${number} ${items}\n`)
  }
}
