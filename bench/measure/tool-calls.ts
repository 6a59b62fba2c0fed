/** tools/call over HTTP, as an agent's host sends it, on one kept-alive connection. */
import { Agent, request } from 'node:http'

export interface ToolCalls {
  /** The answer's JSON. Throws if the tool failed. */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<string>
  close(): void
}

interface Reply {
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: string }[] }
}

export function openToolCalls(url: string): ToolCalls {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let id = 0
  return {
    call(tool, args) {
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: ++id,
        method: 'tools/call',
        params: { name: tool, arguments: args },
      })
      return new Promise((resolve, reject) => {
        const headers = {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'content-length': Buffer.byteLength(body),
        }
        const outgoing = request(`${url}/mcp`, { method: 'POST', agent, headers }, response => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.once('end', () => {
            const text = Buffer.concat(chunks).toString()
            const data = text.startsWith('{') ? text : (/^data: ?(\{.*)$/m.exec(text)?.[1] ?? '{}')
            const { result } = JSON.parse(data) as Reply // JSON-RPC 2.0
            const answer = result?.content?.[0]?.text
            // The bare echo has no content: its answer is the call.
            if (result === undefined || result.isError === true)
              reject(new Error(`${tool}: ${text.slice(0, 300)}`))
            else resolve(answer ?? '')
          })
        })
        outgoing.once('error', reject)
        outgoing.end(body)
      })
    },
    close: () => agent.destroy(),
  }
}
