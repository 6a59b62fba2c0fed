/** MCP over a real socket, with the Host and Origin check of the product's front before it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { McpHttpHandler } from '../../src/mcp/http.ts'
import type { Caller } from '../../src/model/tool.ts'
import { NameGuard } from '../../src/server/name-guard.ts'

export interface McpServer {
  readonly url: string
  close(): Promise<void>
}

export const loopback: Caller = { tenant: 'default', principal: 'loopback', operator: true }

export async function listen(handler: McpHttpHandler, caller: Caller = loopback): Promise<McpServer> {
  const guard = new NameGuard({
    bindAddress: '127.0.0.1',
    allowedHosts: [],
    allowedOrigins: [],
    keyRequired: false,
  })
  const server = createServer((request, response) => {
    const { host, origin } = request.headers
    if (!guard.hostAllowed(host) || !guard.originAllowed(origin, host)) {
      response.writeHead(403).end()
      return
    }
    void handler(request, response, caller)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
