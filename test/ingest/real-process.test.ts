/** The receivers in the real process: engine behind them, configuration before them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { BareGrpcClient, exportPaths } from './grpc-client.ts'
import { sampleSpans } from './otlp-samples.ts'

const key = 'key-of-the-process-test'
const authorized = { authorization: `Bearer ${key}` }
const dataDirectory = mkdtempSync(join(tmpdir(), 'otelcontext-receivers-'))

let server: ServerProcess
let client: BareGrpcClient

beforeAll(async () => {
  server = await startServerProcess({
    dataDirectory,
    environment: { API_KEY: key, BIND_ADDRESS: '127.0.0.1' },
  })
  client = new BareGrpcClient(server.grpcAddress)
})
afterAll(async () => {
  client.close()
  await server.stop()
  rmSync(dataDirectory, { recursive: true, force: true })
})

async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`, { headers: authorized })).text()
  const line = text.split('\n').find(one => one.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1))
}

describe('a server with a key', () => {
  it('stores what comes with it over gRPC and HTTP, and counts it', async () => {
    const answer = await client.call(exportPaths.traces, sampleSpans(7).protobuf, { metadata: authorized })
    expect(answer).toMatchObject({ code: 0, message: new Uint8Array() })
    const response = await fetch(`${server.otlpHttpUrl}/v1/traces`, {
      method: 'POST',
      body: new Uint8Array(sampleSpans(5).json),
      headers: { 'content-type': 'application/json', 'x-api-key': key },
    })
    expect(await response.json()).toEqual({})
    expect(await metric('otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"}')).toBe(7)
    expect(await metric('otelcol_receiver_accepted_spans{receiver="otlp",transport="http"}')).toBe(5)
    expect(await metric('otlp_traces_received')).toBe(12)
  })

  it('takes nothing without it, on any way in', async () => {
    const body = sampleSpans(1).protobuf
    expect(await client.call(exportPaths.traces, body)).toMatchObject({ code: 16 })
    expect(await client.call(exportPaths.logs, body, { metadata: { 'x-api-key': 'guess' } })).toMatchObject({
      code: 16,
    })
    for (const [url, method] of [
      [`${server.otlpHttpUrl}/v1/traces`, 'POST'],
      [`${server.url}/v1/traces`, 'POST'],
      [`${server.url}/mcp`, 'POST'],
      [`${server.url}/admin/stats`, 'GET'],
      [`${server.url}/metrics`, 'GET'],
    ] as const) {
      const response = await fetch(url, { method, headers: { 'x-otelcontext-admin': '1' } })
      expect(response.status).toBe(401)
    }
  })

  it('is ready, and says why only to those who have the key', async () => {
    const stranger = (await (await fetch(`${server.url}/ready`)).json()) as { readonly checks: object }
    const known = (await (
      await fetch(`${server.url}/ready`, { headers: authorized })
    ).json()) as typeof stranger
    expect(stranger.checks).toMatchObject({ inbox: { status: 'ok' }, store: { status: 'ok' } })
    expect(JSON.stringify(stranger)).not.toContain('figures')
    expect(known.checks).toMatchObject({ inbox: { status: 'ok', figures: { waiting_requests: 0 } } })
  })

  it('refuses retryably while paused by an operator, and takes the same batch afterwards', async () => {
    const control = (action: string): Promise<Response> =>
      fetch(`${server.url}/admin/ingest/${action}?signal=traces`, { method: 'POST', headers: authorized })
    const body = sampleSpans(3).protobuf
    expect((await control('pause')).status).toBe(200)
    const refused = await client.call(exportPaths.traces, body, { metadata: authorized })
    expect(refused.code).toBe(14)
    expect(refused.retryAfterMs).toBeGreaterThan(0)
    expect((await client.call('/grpc.health.v1.Health/Check', new Uint8Array())).message).toEqual(
      new Uint8Array([8, 1]),
    )
    expect((await control('resume')).status).toBe(200)
    expect(await client.call(exportPaths.traces, body, { metadata: authorized })).toMatchObject({ code: 0 })
  })
})

it('a second server on the same ports ends with one sentence that names the remedy', async () => {
  const other = mkdtempSync(join(tmpdir(), 'otelcontext-second-'))
  const port = new URL(server.url).port
  const second = startServerProcess({ dataDirectory: other, environment: { HTTP_PORT: port } })
  await expect(second).rejects.toThrow(`Failed to start HTTP server: port ${port} on 127.0.0.1 is in use`)
  rmSync(other, { recursive: true, force: true })
})

it('SIGTERM ends a server that has open connections, in order', async () => {
  const own = mkdtempSync(join(tmpdir(), 'otelcontext-stop-'))
  const stopping = await startServerProcess({ dataDirectory: own })
  const caller = new BareGrpcClient(stopping.grpcAddress)
  expect(await caller.call(exportPaths.traces, sampleSpans(2).protobuf)).toMatchObject({ code: 0 })
  expect((await fetch(`${stopping.url}/live`)).status).toBe(200)
  expect(await stopping.stop()).toBe(0)
  caller.close()
  rmSync(own, { recursive: true, force: true })
})
