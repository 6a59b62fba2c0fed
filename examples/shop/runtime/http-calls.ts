/** Calls to other services: their addresses by name, one after the other, with a time limit. */
import http from 'node:http'
import type { LookupFunction } from 'node:net'
import { calling } from './calling.ts'
import type { Control } from './control.ts'
import { Problem } from './problem.ts'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

export interface Reply {
  readonly status: number
  readonly body: unknown
}

export interface Caller {
  /** Resolves to any answer. Throws a Problem 503 or 504 when there is none. */
  ask(service: string, call: Call): Promise<Reply>
  /** As `ask`, but resolves to the body of a success; throws a Problem 502 for an answer of 500 and above. */
  fetch(service: string, call: Call): Promise<unknown>
}

const defaultTimeoutMs = 3_000

// Names stand for services as in a cluster's DNS; every process of this one listens on the loopback.
const lookup: LookupFunction = (_name, options, found) =>
  options.all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4)

export function createCaller(control: Control): Caller {
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 8, maxSockets: 64 })
  const turns = new Map<string, number>()

  const ask = async (service: string, call: Call): Promise<Reply> => {
    const addresses = control.addressesOf(service)
    const turn = turns.get(service) ?? 0
    turns.set(service, turn + 1)
    const address = addresses[turn % Math.max(1, addresses.length)]
    if (address === undefined) throw new Problem(503, `no address for ${service}`)
    return await sendRequest(agent, service, address.port, call)
  }
  /** Asks as often as the conditions of this process make it; see `calling`. */
  const askUnderConditions = (service: string, call: Call): Promise<Reply> =>
    calling(control, service, call, ask)
  return {
    ask: askUnderConditions,
    fetch: async (service, call) => {
      const reply = await askUnderConditions(service, call)
      if (reply.status < 400) return reply.body
      const reason = reasonIn(reply.body)
      if (reply.status < 500) throw new Problem(reply.status, reason)
      throw new Problem(502, `${service} answered ${reply.status}`)
    },
  }
}

function sendRequest(agent: http.Agent, service: string, port: number, call: Call): Promise<Reply> {
  const text = call.body === undefined ? undefined : JSON.stringify(call.body)
  const timeoutMs = call.timeoutMs ?? defaultTimeoutMs
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent,
      lookup,
      hostname: service,
      port,
      method: call.method ?? 'GET',
      path: call.path,
      headers: {
        ...call.headers,
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      },
      timeout: timeoutMs,
    })
    request.on('timeout', () =>
      request.destroy(new Problem(504, `${service} gave no answer within ${timeoutMs} ms`)),
    )
    request.on('error', error =>
      reject(
        error instanceof Problem
          ? error
          : new Problem(503, `${service} is unreachable: ${codeOf(error)}`, { cause: error }),
      ),
    )
    request.on('response', response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: parseJson(Buffer.concat(chunks)) }),
      )
    })
    request.end(text)
  })
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}

function reasonIn(body: unknown): string {
  return typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : 'refused'
}
