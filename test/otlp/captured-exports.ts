/** What OpenTelemetry's JavaScript exporters really put on the wire, in both encodings. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CapturedExports {
  /** For an exporter's `url`, with a path of one's own. */
  urlOf(path: string): string
  /** The body last sent there. */
  bodyOf(path: string): Uint8Array
  stop(): Promise<void>
}

export async function captureExports(): Promise<CapturedExports> {
  const bodies = new Map<string, Uint8Array>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.set(request.url ?? '', new Uint8Array(Buffer.concat(chunks)))
      response.writeHead(200, { 'content-type': request.headers['content-type'] ?? '' })
      response.end(request.headers['content-type'] === 'application/json' ? '{}' : '')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a server that listens on TCP has one
  return {
    urlOf: path => `http://127.0.0.1:${port}${path}`,
    bodyOf: path => {
      const body = bodies.get(path)
      if (body === undefined) throw new Error(`nothing was sent to ${path}`)
      return body
    },
    stop: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}
