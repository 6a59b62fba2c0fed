/** Takes OTLP/HTTP with JSON and hands every export request on, as one line of text. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export type Signal = 'traces' | 'logs' | 'metrics'

export const signals: readonly Signal[] = ['traces', 'logs', 'metrics']

export interface OtlpReceiver {
  /** Base URL for exporters. */
  readonly url: string
  stop(): Promise<void>
}

export async function startOtlpReceiver(take: (signal: Signal, line: string) => void): Promise<OtlpReceiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    // An exporter that ended meanwhile.
    request.on('error', () => response.destroy())
    request.on('end', () => {
      const signal = signals.find(each => request.url === `/v1/${each}`)
      const body = Buffer.concat(chunks)
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
      if (signal !== undefined) take(signal, text.toString('utf8').replaceAll('\n', ' '))
      response.writeHead(signal === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end('{}')
    })
  })
  server.keepAliveTimeout = 120_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo // a TCP server that listens
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}
