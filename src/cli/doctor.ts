/** `otelcontext doctor`: walks the path of a span, hop by hop, and stops at nothing: every hop gets its line. */
import { randomBytes } from 'node:crypto'
import { connect as connectTcp } from 'node:net'
import { sendExport } from './replay.ts'
import { callTool, request, type ServerConnection } from './server-connection.ts'

const hopTimeoutMs = 5_000
/** A span is queryable once the engine has published it, at most half a second after the acknowledgement. */
const canaryTimeoutMs = 10_000
const canaryPollMs = 200

export interface HopReport {
  readonly hop: string
  readonly ok: boolean
  readonly ms: number
  readonly detail: string
}

export interface DoctorOptions {
  readonly connection: ServerConnection
  /** `host:port` of OTLP/gRPC. */
  readonly grpcAddress: string
}

export async function examine(options: DoctorOptions): Promise<readonly HopReport[]> {
  const { connection } = options
  const url = new URL(connection.url)
  const httpPort = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  const [grpcHost = '127.0.0.1', grpcPort = '4317'] = splitAddress(options.grpcAddress)
  return [
    await hop('HTTP port reachable', () => openTcp(url.hostname, httpPort)),
    await hop('gRPC port reachable', () => openTcp(grpcHost, Number(grpcPort))),
    await hop('gRPC health', () => grpcHealth(options.grpcAddress)),
    await hop('server ready', () => ready(connection)),
    await hop('empty export accepted', () => emptyExport(connection)),
    await hop('canary span sent and read back', () => canary(connection)),
  ]
}

function splitAddress(address: string): readonly string[] {
  const at = address.lastIndexOf(':')
  return at < 0 ? [address, '4317'] : [address.slice(0, at).replace(/^\[|\]$/g, ''), address.slice(at + 1)]
}

async function hop(name: string, work: () => Promise<string>): Promise<HopReport> {
  const started = performance.now()
  const elapsed = (): number => Math.round(performance.now() - started)
  try {
    const detail = await work()
    return { hop: name, ok: true, ms: elapsed(), detail }
  } catch (error) {
    return {
      hop: name,
      ok: false,
      ms: elapsed(),
      detail: error instanceof Error ? error.message : String(error),
    }
  }
}

function openTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, timeout: hopTimeoutMs })
    socket.once('connect', () => {
      socket.destroy()
      resolve(`${host}:${port}`)
    })
    socket.once('timeout', () =>
      socket.destroy(new Error(`no answer from ${host}:${port} in ${hopTimeoutMs} ms`)),
    )
    socket.once('error', reject)
  })
}

/** `grpc.health.v1.Health/Check` with an empty request; field 1 of the answer is the status, 1 is SERVING. */
async function grpcHealth(address: string): Promise<string> {
  const { Client, credentials, Metadata } = await import('@grpc/grpc-js')
  const client = new Client(address, credentials.createInsecure())
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.alloc(0),
        new Metadata(),
        { deadline: Date.now() + hopTimeoutMs },
        (error, answer) => {
          if (error !== null) reject(error)
          else if (answer?.[0] === 0x08 && answer[1] === 1) resolve('SERVING')
          else reject(new Error('not serving (paused or draining)'))
        },
      )
    })
  } finally {
    client.close()
  }
}

async function ready(connection: ServerConnection): Promise<string> {
  const response = await request(connection, '/ready', { signal: AbortSignal.timeout(hopTimeoutMs) })
  if (!response.ok)
    throw new Error(`/ready answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
  return 'all checks pass'
}

async function emptyExport(connection: ServerConnection): Promise<string> {
  const outcome = await sendExport(connection, 'traces', '{}')
  if (outcome.failure !== '') throw new Error(outcome.failure)
  return 'OTLP/HTTP JSON'
}

async function canary(connection: ServerConnection): Promise<string> {
  const traceId = randomBytes(16).toString('hex')
  const startNs = BigInt(Date.now()) * 1_000_000n
  const span = {
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'doctor canary',
    kind: 1,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 1_000_000n),
  }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'otelcontext-doctor' } }] }
  const outcome = await sendExport(
    connection,
    'traces',
    JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  )
  if (outcome.failure !== '') throw new Error(outcome.failure)
  const giveUpAt = Date.now() + canaryTimeoutMs
  for (;;) {
    const reply = await callTool(connection, 'get_trace', { trace_id: traceId })
    if (!reply.failed && reply.json.includes('doctor canary')) return `trace ${traceId.slice(0, 8)}`
    if (Date.now() > giveUpAt)
      throw new Error(`span acknowledged but not readable after ${canaryTimeoutMs} ms`)
    await new Promise(resolve => setTimeout(resolve, canaryPollMs))
  }
}
