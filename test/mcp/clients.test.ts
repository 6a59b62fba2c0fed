import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createMcpHttpHandler } from '../../src/mcp/http.ts'
import { tools } from '../../src/tools/registry.ts'
import { shopEndMs, shopRequests, traceIdOf } from '../tools/shop-telemetry.ts'
import { startTelemetrySystem, type TelemetrySystem } from '../tools/telemetry-system.ts'
import { listen, type McpServer } from './mcp-server.ts'

let system: TelemetrySystem
let server: McpServer

beforeAll(async () => {
  system = startTelemetrySystem(shopEndMs)
  system.publish(shopRequests())
  server = await listen(
    createMcpHttpHandler({ runner: system, version: '0.0.1', logger: createLogger('silent') }),
  )
})
afterAll(async () => {
  await server.close()
  await system.close()
})

const command = {
  command: process.execPath,
  args: [fileURLToPath(new URL('./stdio-server.ts', import.meta.url))],
  stderr: 'ignore' as const,
}
const who = { name: 'test', version: '1' }

/** What both generations of clients offer, as far as it is used here. */
interface AnyClient {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>
  listPrompts(): Promise<{ readonly prompts: readonly { readonly name: string }[] }>
  listResources(): Promise<{ readonly resources: readonly { readonly uri: string }[] }>
  readResource(params: { readonly uri: string }): Promise<{ readonly contents: readonly object[] }>
  getPrompt(params: {
    readonly name: string
    readonly arguments: Record<string, string>
  }): Promise<{ readonly messages: readonly object[] }>
  callTool(params: { readonly name: string; readonly arguments: Record<string, unknown> }): Promise<{
    readonly isError?: unknown
    readonly structuredContent?: unknown
    readonly content?: unknown
  }>
  close(): Promise<void>
}

interface Connected {
  readonly client: AnyClient
  readonly version: string | undefined
}

async function v1(transport: HttpV1 | StdioV1): Promise<Connected> {
  const client = new ClientV1(who)
  // The SDK's own transport classes do not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientV1['connect']>[0])
  return { client: client as AnyClient, version: client.getServerVersion()?.version }
}

async function v2(transport: HttpV2 | StdioV2, mode: 'legacy' | 'auto'): Promise<Connected> {
  const client = new ClientV2(who, { versionNegotiation: { mode } })
  await client.connect(transport as Parameters<ClientV2['connect']>[0])
  return { client: client as unknown as AnyClient, version: client.getServerVersion()?.version }
}

const connections: readonly (readonly [string, () => Promise<Connected>])[] = [
  ['SDK v1 over HTTP', () => v1(new HttpV1(new URL(server.url)))],
  ['SDK v2 over HTTP, 2025', () => v2(new HttpV2(new URL(server.url)), 'legacy')],
  ['SDK v2 over HTTP, negotiated', () => v2(new HttpV2(new URL(server.url)), 'auto')],
  ['SDK v1 over stdio', () => v1(new StdioV1(command))],
  ['SDK v2 over stdio, 2025', () => v2(new StdioV2(command), 'legacy')],
  ['SDK v2 over stdio, negotiated', () => v2(new StdioV2(command), 'auto')],
]

describe('clients of both generations', () => {
  it.each(connections)('%s: lists, calls, reads and prompts', async (_name, connect) => {
    const { client, version } = await connect()
    expect(version).toBe('0.0.1')
    const listed = await client.listTools()
    expect(listed.tools.map(tool => tool.name)).toEqual(tools.map(tool => tool.name))

    // Both check the structured content against the output schema, errors included.
    const answer = await client.callTool({ name: 'get_trace', arguments: { trace_id: traceIdOf(200) } })
    expect(answer.isError ?? false).toBe(false)
    expect(answer.structuredContent).toMatchObject({ facts: { trace_id: traceIdOf(200), spans: 5 } })
    const cause = await client.callTool({ name: 'investigate', arguments: {} })
    expect(cause.structuredContent).toMatchObject({ facts: { verdict: 'confirmed', first_cause: 'payment' } })
    const wrong = await client.callTool({ name: 'get_trace', arguments: { trace: 'x' } })
    expect(wrong).toMatchObject({ isError: true, structuredContent: { error: { field: 'trace_id' } } })
    await expect(client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toMatchObject({
      code: -32_602,
    })

    expect((await client.listPrompts()).prompts).toHaveLength(5)
    const prompt = await client.getPrompt({ name: 'explain_trace', arguments: { trace_id: 'c0ffee00' } })
    expect(JSON.stringify(prompt.messages)).toContain('Explain trace c0ffee00.')
    expect((await client.listResources()).resources).toHaveLength(tools.length + 2)
    const services = await client.readResource({ uri: 'otelcontext://services' })
    expect(JSON.stringify(services.contents)).toContain('payment')
    await client.close()
  })
})

describe('stdio', () => {
  it('answers discovery and tools/list before anything is opened, and prints nothing but protocol', async () => {
    const child = spawn(command.command, command.args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    const send = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`)
    const lines = (): readonly { readonly id?: number; readonly result?: object }[] =>
      out
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as { readonly id?: number; readonly result?: object })
    const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: who }
    send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize })
    send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    send({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
    await expect.poll(() => lines().map(line => line.id), { timeout: 20_000 }).toEqual([1, 2])
    expect(err).not.toContain('opened')
    send({
      jsonrpc: '2.0',
      id: 3,
      method: 'tools/call',
      params: { name: 'get_trace', arguments: { trace_id: traceIdOf(0) } },
    })
    await expect.poll(() => lines().map(line => line.id), { timeout: 20_000 }).toEqual([1, 2, 3])
    expect(err).toContain('opened')
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.stdin.end()
    expect(await ended).toBe(0)
  })
})
