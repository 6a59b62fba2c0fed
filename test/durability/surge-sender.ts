/**
 * Senders that send as fast as they are answered and never wait: `node surge-sender.ts URL CONNECTIONS SECONDS SEED`.
 * Every request is new, so that none is recognised as a repeat. Says what became of them as one line of JSON.
 */
import { Agent, request } from 'node:http'
import { spanRequest } from '../engine/requests.ts'

export interface SurgeReport {
  readonly seconds: number
  readonly sent: number
  readonly acceptedSpans: number
  readonly refused: number
  readonly refusedWithoutTime: number
  /** Connections that broke, and answers that are neither. */
  readonly broken: number
}

const spansPerRequest = 100
/** Seven digits, so that every number takes the same bytes in names. */
const firstSeed = 1_000_000

const [url = '', connections = '1', seconds = '1', seed = '0'] = process.argv.slice(2)
const report = { seconds: 0, sent: 0, acceptedSpans: 0, refused: 0, refusedWithoutTime: 0, broken: 0 }
let next = firstSeed + Number(seed)

/** The same spans with other ids: the places of the number in a request are found once. */
const template = Buffer.from(spanRequest({ seed: firstSeed, spans: spansPerRequest, timeMs: Date.now() }))
const nameAt = placesOf(Buffer.from(`${firstSeed}-`))
const idAt = placesOf(bigEndian(firstSeed + 1))

function placesOf(bytes: Buffer): readonly number[] {
  const places: number[] = []
  for (let at = template.indexOf(bytes); at >= 0; at = template.indexOf(bytes, at + 1)) places.push(at)
  return places
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function nextBody(): Buffer {
  const body = Buffer.from(template)
  const number = next++
  const text = Buffer.from(String(number))
  for (const at of nameAt) text.copy(body, at)
  for (const at of idAt) body.writeUInt32BE(number + 1, at)
  return body
}

const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
const startedMs = performance.now()
const endMs = startedMs + Number(seconds) * 1_000

function send(): Promise<void> {
  const body = nextBody()
  const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
  report.sent++
  return new Promise(resolve => {
    const outgoing = request(`${url}/v1/traces`, { method: 'POST', agent, headers }, response => {
      response.resume()
      response.once('end', () => {
        const { statusCode } = response
        if (statusCode === 200) report.acceptedSpans += spansPerRequest
        else if (statusCode === 429 || statusCode === 503) {
          report.refused++
          if (response.headers['retry-after'] === undefined) report.refusedWithoutTime++
        } else report.broken++
        resolve()
      })
    })
    outgoing.once('error', () => {
      report.broken++
      resolve()
    })
    outgoing.end(body)
  })
}

await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    while (performance.now() < endMs) await send()
  }),
)
report.seconds = (performance.now() - startedMs) / 1_000
agent.destroy()
process.stdout.write(`${JSON.stringify(report)}\n`)
