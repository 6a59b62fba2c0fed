import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createMcpHttpHandler } from '../../src/mcp/http.ts'
import { toolDefinitions } from '../../src/mcp/tool-definitions.ts'
import type { ToolsetName } from '../../src/model/tool.ts'
import { tools, toolsets } from '../../src/tools/registry.ts'
import { shopEndMs, shopRequests } from '../tools/shop-telemetry.ts'
import { startTelemetrySystem, type TelemetrySystem } from '../tools/telemetry-system.ts'
import { listen, type McpServer } from './mcp-server.ts'

const forensics = toolsets.forensics.map(tool => tool.name)
const direct = tools.map(tool => tool.name)

describe('toolsets', () => {
  let system: TelemetrySystem
  const servers: McpServer[] = []

  beforeAll(() => {
    system = startTelemetrySystem(shopEndMs)
    system.publish(shopRequests())
  })
  afterAll(async () => {
    for (const server of servers) await server.close()
    await system.close()
  })

  async function connect(switchedOn: readonly ToolsetName[]): Promise<Client> {
    const server = await listen(
      createMcpHttpHandler({
        runner: system,
        version: '0.0.1',
        logger: createLogger('silent'),
        toolsets: switchedOn,
      }),
    )
    servers.push(server)
    const client = new Client({ name: 'test', version: '1' })
    // The SDK's own transport class does not satisfy its interface under exactOptionalPropertyTypes.
    const transport = new StreamableHTTPClientTransport(new URL(server.url))
    await client.connect(transport as Parameters<Client['connect']>[0])
    return client
  }

  it('are offered behind the tools of everybody, and answered, where they are switched on', async () => {
    const client = await connect(['forensics'])
    expect((await client.listTools()).tools.map(tool => tool.name)).toEqual([...direct, ...forensics])
    const { contents } = await client.readResource({ uri: 'otelcontext://guide/get_error_chains' })
    expect(JSON.stringify(contents)).toContain('How errors ran through traces')
    const answer = await client.callTool({ name: 'get_error_chains', arguments: {} })
    expect(answer.isError ?? false).toBe(false)
    expect(answer.structuredContent).toMatchObject({ tables: { chains: { columns: expect.any(Array) } } })
    await client.close()
  })

  it('do not exist where they are not', async () => {
    const client = await connect([])
    expect((await client.listTools()).tools.map(tool => tool.name)).toEqual(direct)
    for (const name of forensics)
      await expect(client.callTool({ name, arguments: {} })).rejects.toMatchObject({ code: -32_602 })
    await expect(client.readResource({ uri: 'otelcontext://guide/get_error_chains' })).rejects.toMatchObject({
      code: -32_602,
    })
    await client.close()
  })

  it('come in one order and once, however they are named', () => {
    expect(toolDefinitions(['forensics', 'forensics'])).toBe(toolDefinitions(['forensics']))
    expect(toolDefinitions([])).toBe(toolDefinitions())
  })
})
