import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OverloadedError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { createMcpHttpHandler } from '../../src/mcp/http.ts'
import type { ToolCall, ToolRunner } from '../../src/model/tool.ts'
import { shopEndMs, shopRequests, traceIdOf } from '../tools/shop-telemetry.ts'
import { startTelemetrySystem, type TelemetrySystem } from '../tools/telemetry-system.ts'
import { listen, type McpServer } from './mcp-server.ts'

let system: TelemetrySystem
let server: McpServer
/** What the runner does besides running; set by tests of failures. */
let before: ((call: ToolCall, signal: AbortSignal) => Promise<void>) | undefined

beforeAll(async () => {
  system = startTelemetrySystem(shopEndMs)
  system.publish(shopRequests())
  const runner: ToolRunner = {
    async call(call, signal) {
      await before?.(call, signal)
      return system.call(call, signal)
    },
  }
  server = await listen(createMcpHttpHandler({ runner, version: '0.0.1', logger: createLogger('silent') }))
})
afterAll(async () => {
  await server.close()
  await system.close()
})

interface Reply {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly body: {
    readonly result?: Record<string, unknown>
    readonly error?: {
      readonly code: number
      readonly message: string
      readonly data?: Record<string, unknown>
    }
  }
}

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

const listOf = (reply: Reply, key: string): readonly Record<string, unknown>[] =>
  (reply.body.result?.[key] ?? []) as readonly Record<string, unknown>[]

async function post(
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Reply> {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  const data = type.includes('event-stream')
    ? (text
        .split('\n')
        .filter(line => line.startsWith('data: '))
        .at(-1)
        ?.slice(6) ?? '{}')
    : text || '{}'
  return { status: response.status, type, text, body: JSON.parse(data) as Reply['body'] }
}

const legacy = (method: string, params: object = {}): Promise<Reply> =>
  post({ jsonrpc: '2.0', id: 1, method, params })

function modern(method: string, params: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const name = typeof params['name'] === 'string' ? params['name'] : params['uri']
  return post(
    {
      jsonrpc: '2.0',
      id: 1,
      method,
      params: { ...params, _meta: { ...modernMeta, ...(params['_meta'] as object) } },
    },
    {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...headers,
    },
  )
}

describe('both eras on one path', () => {
  it('serves discovery of 2026-07-28 with the cache hints of definitions', async () => {
    const { status, body } = await modern('server/discover')
    expect(status).toBe(200)
    expect(body.result).toMatchObject({
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, prompts: {}, resources: {} },
      ttlMs: 3_600_000,
      cacheScope: 'public',
    })
    expect(body.result?.['instructions']).toContain('investigate')
  })

  it.each(['2025-11-25', '2025-06-18', '2025-03-26'])(
    'opens %s with initialize and no session',
    async version => {
      const { status, body } = await legacy('initialize', {
        protocolVersion: version,
        capabilities: {},
        clientInfo: { name: 'test', version: '1' },
      })
      expect(status).toBe(200)
      expect(body.result).toMatchObject({ protocolVersion: version, serverInfo: { name: 'otelcontext' } })
    },
  )

  it('serves a legacy call that carries no version header and was never initialized', async () => {
    const { status, body } = await legacy('tools/call', {
      name: 'get_trace',
      arguments: { trace_id: traceIdOf(0) },
    })
    expect(status).toBe(200)
    expect(body.result?.['isError']).toBeUndefined()
  })

  it('gives the same answer as structured content and as text, in both', async () => {
    const params = { name: 'get_trace', arguments: { trace_id: traceIdOf(0) } }
    for (const { body } of [await legacy('tools/call', params), await modern('tools/call', params)]) {
      const { content, structuredContent } = body.result as {
        readonly content: readonly { readonly text: string }[]
        readonly structuredContent: object
      }
      expect(content).toHaveLength(1)
      expect(JSON.parse(content[0]?.text ?? '')).toEqual(structuredContent)
      expect(structuredContent).toMatchObject({ facts: { trace_id: traceIdOf(0) } })
    }
  })

  it('lists the same tools in both', async () => {
    const old = await legacy('tools/list')
    const fresh = await modern('tools/list')
    expect(fresh.body.result?.['tools']).toEqual(old.body.result?.['tools'])
    expect(fresh.body.result).toMatchObject({ ttlMs: 3_600_000, cacheScope: 'public' })
  })
})

describe('codes', () => {
  it('405 for GET and DELETE', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(server.url, { method, headers: { accept: 'text/event-stream' } })
      expect(response.status).toBe(405)
    }
  })

  it('403 for a foreign Origin', async () => {
    const { status } = await post('', { origin: 'https://evil.example' }).catch(() => ({ status: 403 }))
    expect(status).toBe(403)
  })

  it('202 for a notification', async () => {
    const old = await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
    expect([old.status, old.text]).toEqual([202, ''])
  })

  it('400 and -32020 where header and body disagree', async () => {
    const { status, body } = await modern('tools/list', {}, { 'mcp-method': 'prompts/list' })
    expect([status, body.error?.code]).toEqual([400, -32_020])
  })

  it('400 and -32022 for a version nobody speaks', async () => {
    const { status, body } = await post(
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: { _meta: { ...modernMeta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } },
      },
      { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' },
    )
    expect([status, body.error?.code]).toEqual([400, -32_022])
  })

  it('404 and -32601 for an unknown method', async () => {
    const { status, body } = await modern('tools/dance')
    expect([status, body.error?.code]).toEqual([404, -32_601])
  })

  it('-32602 for an unknown tool, an unknown prompt and an unknown resource', async () => {
    expect((await modern('tools/call', { name: 'dance', arguments: {} })).body.error?.code).toBe(-32_602)
    expect((await modern('prompts/get', { name: 'dance' })).body.error?.code).toBe(-32_602)
    const resource = await modern('resources/read', { uri: 'otelcontext://services/dance' })
    expect(resource.body.error).toMatchObject({
      code: -32_602,
      data: { uri: 'otelcontext://services/dance' },
    })
  })

  it('400 for a body that is not JSON, 413 for one that is too long', async () => {
    expect((await post('{"jsonrpc":')).status).toBe(400)
    expect((await post('x'.repeat(1_100_000))).status).toBe(413)
  })

  it('an error result with the coded error for wrong arguments', async () => {
    const { status, body } = await modern('tools/call', { name: 'get_trace', arguments: { traceid: 'x' } })
    expect(status).toBe(200)
    expect(body.result).toMatchObject({
      isError: true,
      structuredContent: { error: { code: 'missing_argument', field: 'trace_id' } },
    })
  })

  it('-32000 with the time to wait when all slots are taken, -32001 past the time', async () => {
    const call = { name: 'get_trace', arguments: { trace_id: traceIdOf(0) } }
    for (const [code, wanted] of [
      ['overloaded', { code: -32_000, message: 'server overloaded', data: { retry_after_ms: 700 } }],
      ['call_timeout', { code: -32_001, message: 'call timeout', data: { retry_after_ms: 700 } }],
    ] as const) {
      before = () => Promise.reject(new OverloadedError(code, 'no', { retryAfterMs: 700 }))
      for (const reply of [await legacy('tools/call', call), await modern('tools/call', call)]) {
        expect(reply.status).toBe(200)
        expect(reply.body.error).toEqual(wanted)
      }
    }
    before = undefined
  })

  it('-32603 without a word of the cause for a bug', async () => {
    before = () => Promise.reject(new Error('secret detail'))
    const { body, text } = await modern('tools/call', {
      name: 'get_trace',
      arguments: { trace_id: traceIdOf(0) },
    })
    before = undefined
    expect(body.error?.code).toBe(-32_603)
    expect(text).not.toContain('secret detail')
  })
})

describe('long calls', () => {
  it('report progress after a second, to those who asked for it', async () => {
    before = () => new Promise(resolve => setTimeout(resolve, 1_300))
    const params = { name: 'get_trace', arguments: { trace_id: traceIdOf(0) } }
    const asked = await modern('tools/call', { ...params, _meta: { progressToken: 'p1' } })
    const silent = await modern('tools/call', params)
    before = undefined
    expect(asked.text).toContain('notifications/progress')
    expect(asked.text).toContain('"progressToken":"p1"')
    expect(asked.body.result).toMatchObject({ structuredContent: { facts: { spans: 5 } } })
    expect(silent.text).not.toContain('notifications/progress')
  })

  it.each(['legacy', 'modern'])('are cancelled by closing the stream (%s)', async era => {
    let cancelled = false
    const reached = new Promise<void>(resolve => {
      before = (_call, signal) =>
        new Promise((_resolve, reject) => {
          resolve()
          signal.addEventListener('abort', () => {
            cancelled = true
            reject(new DOMException('gone', 'AbortError'))
          })
        })
    })
    const leaving = new AbortController()
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'get_trace',
        arguments: { trace_id: traceIdOf(0) },
        ...(era === 'modern' ? { _meta: modernMeta } : {}),
      },
    }
    const headers: Record<string, string> =
      era === 'modern'
        ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'get_trace' }
        : {}
    const call = post(body, headers, leaving.signal).catch((error: unknown) => error)
    await reached
    leaving.abort()
    expect(await call).toMatchObject({ name: 'AbortError' })
    await expect.poll(() => cancelled).toBe(true)
    before = undefined
  })
})

describe('prompts and resources', () => {
  it('fills a prompt with its arguments and says what is missing', async () => {
    const { body } = await modern('prompts/get', { name: 'explain_trace', arguments: { trace_id: 'c0ffee' } })
    expect(JSON.stringify(body.result)).toContain('Explain trace c0ffee.')
    expect((await modern('prompts/get', { name: 'explain_trace' })).body.error?.code).toBe(-32_602)
    const list = await modern('prompts/list')
    const names = listOf(list, 'prompts').map(entry => entry['name'])
    expect(names).toEqual([
      'check_release',
      'explain_trace',
      'find_missing_data',
      'hand_over_investigation',
      'triage_incident',
    ])
  })

  it('reads traces, coverage and guides through the same tools', async () => {
    const trace = await modern('resources/read', { uri: `otelcontext://traces/${traceIdOf(0)}` })
    expect(trace.body.result).toMatchObject({ ttlMs: 5_000, cacheScope: 'private' })
    expect(JSON.stringify(trace.body.result)).toContain(traceIdOf(0))
    const coverage = await modern('resources/read', { uri: 'otelcontext://coverage' })
    expect(JSON.stringify(coverage.body.result)).toContain('first_broken_hop')
    const guide = await modern('resources/read', { uri: 'otelcontext://guide/get_trace' })
    expect(JSON.stringify(guide.body.result)).toContain('# get_trace')
  })

  it('has templates for services and traces', async () => {
    const templates = listOf(await modern('resources/templates/list'), 'resourceTemplates')
    expect(templates.map(entry => entry['uriTemplate'])).toEqual([
      'otelcontext://services/{name}',
      'otelcontext://traces/{id}',
    ])
  })
})
