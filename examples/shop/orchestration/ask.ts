/** Asks a server through the official MCP client, over HTTP or through `otelcontext mcp` on stdio. */
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

export type Route =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'stdio'; readonly dataDirectory: string }

export interface Question {
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
}

export interface Answer {
  /** The JSON text as the host's model sees it. */
  readonly text: string
  readonly failed: boolean
  /** Tokens of that text, o200k. */
  readonly tokens: number
  /** From call to answer, without the connection. */
  readonly milliseconds: number
}

const command = fileURLToPath(new URL('../../../bin/otelcontext.js', import.meta.url))

/** Connects, asks once, and disconnects. */
export async function ask(route: Route, question: Question): Promise<Answer> {
  const client = new Client(
    { name: 'otelcontext-shop', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  )
  await client.connect(transportTo(route))
  try {
    const started = performance.now()
    const result = await client.callTool({ name: question.tool, arguments: { ...question.arguments } })
    const milliseconds = performance.now() - started
    // Loaded late: its tables take a second, and `--help` needs none.
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
    const block = result.content.find(each => each.type === 'text')
    const text = block?.type === 'text' ? block.text : ''
    return { text, failed: result.isError === true, tokens: countTokens(text), milliseconds }
  } finally {
    await client.close()
  }
}

function transportTo(route: Route): Transport {
  if (route.kind === 'http') return new StreamableHTTPClientTransport(new URL('/mcp', route.url))
  return new StdioClientTransport({
    command: process.execPath,
    args: [command, 'mcp'],
    env: { PATH: process.env['PATH'] ?? '', DATA_DIR: route.dataDirectory },
    stderr: 'ignore',
  })
}
