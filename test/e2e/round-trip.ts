/** What is sent to a real server comes back through inbox, segments and export, whatever the store. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { signals } from '../../src/model/telemetry.ts'
import { untilSealed } from '../durability/postgres-restarts-run.ts'
import { everyFieldRequests, exportedLines, reachableFields, setFields } from './every-field.ts'
import { exportedItems, itemsOf } from './otlp-items.ts'
import { sendEverything, transports } from './sdk-telemetry.ts'

/** `environment` is asked for once, before the server starts. */
export function describeRoundTrip(
  store: string,
  environment: () => Promise<Readonly<Record<string, string>>>,
): void {
  describe(`a server on ${store}`, () => {
    let server: ServerProcess
    const dataDirectory = mkdtempSync(join(tmpdir(), 'otelcontext-e2e-'))

    beforeAll(async () => {
      server = await startServerProcess({ dataDirectory, environment: await environment() })
    })

    afterAll(async () => {
      await server.stop()
      rmSync(dataDirectory, { recursive: true })
    })

    it.each(signals)('gives back every field of an independent list of those of %s', async signal => {
      const { bodies, requests, lines } = everyFieldRequests(signal)
      expect(setFields(signal, requests)).toEqual(reachableFields(signal))
      for (const body of bodies) {
        const headers = { 'content-type': 'application/x-protobuf' }
        const response = await fetch(`${server.otlpHttpUrl}/v1/${signal}`, { method: 'POST', headers, body })
        expect([response.status, await response.text()]).toEqual([200, ''])
      }
      await untilSealed(server)
      expect(await exportedLines(server, signal)).toEqual(lines)
    })

    describe.each(transports)('the JavaScript SDK over %s', transport => {
      it.each([false, true])('gets every field back through export, gzip %s', async gzip => {
        const service = `round-trip ${transport} ${gzip}`
        const sent = await sendEverything(
          { transport, gzip, otlpHttpUrl: server.otlpHttpUrl, grpcAddress: server.grpcAddress },
          service,
        )
        for (const signal of ['traces', 'logs', 'metrics'] as const) {
          const expected = sent[signal].flatMap(request => itemsOf(signal, request))
          expect(expected.length).toBeGreaterThan(3)
          const stored = await exportedItems(server, signal, service, expected.length)
          expect(stored).toEqual(expected.toSorted((a, b) => (a.key < b.key ? -1 : 1)))
        }
      })
    })
  })
}
