import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createHttpSender } from '../../../src/cli/load/http-sender.ts'
import { LedgerWriter, readLedger } from '../../../src/cli/load/ledger.ts'
import { defaultProfile } from '../../../src/cli/load/load-profile.ts'
import { type LoadOptions, runLoad } from '../../../src/cli/load/run-load.ts'
import { createTraffic } from '../../../src/cli/load/traffic.ts'

const root = mkdtempSync(join(tmpdir(), 'otelcontext-load-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

type Answer = (response: ServerResponse, number: number, request: IncomingMessage) => void

/** A server that reads each request whole and answers as told. */
async function serve(answer: Answer): Promise<string> {
  let number = 0
  const server = createServer((request, response) => {
    request.resume()
    request.once('end', () => answer(response, number++, request))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

function options(url: string, changes: Partial<LoadOptions> = {}): LoadOptions {
  const plan = { signal: 'traces', items: 400, spanMs: 400, patience: 1 } as const
  const sender = createHttpSender({
    url,
    encoding: 'protobuf',
    headers: {},
    connections: 1,
    timeoutMs: 5_000,
    gzip: false,
  })
  closing.push(() => void sender.close())
  const profile = { ...defaultProfile, batchBy: 'collector' as const, batch: 20, spansPerTrace: 1 }
  return {
    profile,
    streams: [{ traffic: createTraffic(profile, plan, 'protobuf'), rate: 1_000, maxItems: null }],
    sender,
    retry: { forMs: 2_000, firstDelayMs: 5, maxDelayMs: 20 },
    durationMs: 400,
    warmUpMs: 0,
    burst: null,
    sinceMs: 0,
    tenants: [''],
    connections: 1,
    maxInFlight: 100,
    ledger: null,
    signal: new AbortController().signal,
    endpoint: url,
    transport: 'http',
    progress: () => undefined,
    ...changes,
  }
}

describe('an open loop', () => {
  it('charges a stall to every request that was due meanwhile', async () => {
    const url = await serve((response, number) => {
      if (number === 0) setTimeout(() => response.end(), 200)
      else response.end()
    })
    const report = await runLoad(options(url))
    const [traces] = report.signals
    expect(traces?.acknowledged_items).toBe(400)
    expect(traces?.unsent_requests).toBe(0)
    // Twenty requests are due within 400 ms, about ten of them within the stall of 200 ms.
    expect(traces?.latency.max_ms).toBeGreaterThanOrEqual(190)
    expect(traces?.latency.p90_ms).toBeGreaterThan(20)
  })

  it('says what was due and never sent when the server falls behind for good', async () => {
    const url = await serve(response => setTimeout(() => response.end(), 400))
    const report = await runLoad(options(url, { maxInFlight: 1 }))
    const [traces] = report.signals
    expect(traces?.unsent_requests).toBeGreaterThan(0)
    expect((traces?.acknowledged_requests ?? 0) + (traces?.unsent_requests ?? 0)).toBe(20)
  })
})

describe('a load', () => {
  it('sends again what is refused for now, and notes one acknowledgement for it', async () => {
    const url = await serve((response, number) => {
      if (number % 2 === 0) response.writeHead(503, { 'retry-after': '0' })
      response.end()
    })
    const file = join(root, 'retried')
    const ledger = new LedgerWriter(file, { profile: defaultProfile, plans: [] })
    const report = await runLoad(options(url, { ledger }))
    ledger.close()
    expect(report.signals[0]).toMatchObject({ acknowledged_items: 400, failed_requests: 0, retries: 20 })
    expect(report.statuses).toEqual({ 'HTTP 503': 20 })
    const lines = readLedger(file).lines
    expect(lines.map(line => line.request).toSorted((a, b) => a - b)).toEqual([...Array(20).keys()])
  })

  it('does not send again what is refused for good, and keeps it out of the ledger', async () => {
    const url = await serve(response => response.writeHead(400).end('bad'))
    const file = join(root, 'refused')
    const ledger = new LedgerWriter(file, { profile: defaultProfile, plans: [] })
    const report = await runLoad(options(url, { ledger }))
    ledger.close()
    expect(report.signals[0]).toMatchObject({ acknowledged_items: 0, failed_requests: 20, failed_items: 400 })
    expect(report.first_failure).toBe('HTTP 400: bad')
    expect(readLedger(file).lines).toEqual([])
  })

  it('counts what partial success says was rejected', async () => {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 3 } }
    const url = await serve(response => response.end(Buffer.from([0x0a, 2, 0x08, 3])))
    const report = await runLoad(options(url))
    expect(report.signals[0]).toMatchObject({ acknowledged_items: 340, rejected_items: 60 })
  })

  it('gives up what nobody answers, once its time for retries is over', async () => {
    const report = await runLoad(
      options('http://127.0.0.1:1', {
        durationMs: 60,
        retry: { forMs: 30, firstDelayMs: 5, maxDelayMs: 10 },
      }),
    )
    expect(report.signals[0]?.failed_requests).toBeGreaterThan(0)
    expect(report.signals[0]?.acknowledged_items).toBe(0)
    expect(Object.keys(report.statuses)).toEqual(['connection ECONNREFUSED'])
  })
})
