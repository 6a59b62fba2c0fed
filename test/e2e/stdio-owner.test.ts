import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, expect, it } from 'vitest'
import { commandFile } from './command.ts'

const copies = 5
const dataDirectory = mkdtempSync(join(tmpdir(), 'otelcontext-copies-'))

afterAll(() => rmSync(dataDirectory, { recursive: true, force: true }))

interface Copy {
  readonly client: Client
  readonly transport: StdioClientTransport
}

async function startCopy(): Promise<Copy> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [commandFile, 'mcp'],
    env: {
      ...process.env,
      DATA_DIR: dataDirectory,
      HTTP_PORT: '0',
      GRPC_PORT: '0',
      OTLP_HTTP_PORT: '0',
      LOG_LEVEL: 'ERROR',
    } as Record<string, string>,
    stderr: 'inherit',
  })
  const client = new Client({ name: 'copies', version: '1' })
  await client.connect(transport)
  return { client, transport }
}

interface OwnerFile {
  readonly url: string
  readonly pid: number
}

const owner = (): OwnerFile =>
  JSON.parse(readFileSync(join(dataDirectory, 'owner.json'), 'utf8')) as OwnerFile

async function findTrace({ client }: Copy, traceId: string): Promise<string> {
  const answer = await client.callTool({ name: 'get_trace', arguments: { trace_id: traceId } })
  return JSON.stringify(answer.structuredContent)
}

/** Sends a span to whoever owns the directory and resolves with its trace id. */
async function sendSpan(name: string): Promise<string> {
  const traceId = Buffer.from(name.padEnd(16, '.')).toString('hex')
  const startNs = BigInt(Date.now()) * 1_000_000n
  const span = {
    traceId,
    spanId: traceId.slice(0, 16),
    name,
    kind: 2,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 1_000n),
  }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'copied' } }] }
  const response = await fetch(`${owner().url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  })
  expect(response.status).toBe(200)
  return traceId
}

async function eventually(copy: Copy, traceId: string, name: string): Promise<void> {
  await expect.poll(() => findTrace(copy, traceId), { timeout: 10_000, interval: 100 }).toContain(name)
}

it('five copies of `mcp` share one directory, and when their owner is killed the next call is still answered', async () => {
  const all = await Promise.all(Array.from({ length: copies }, startCopy))
  try {
    for (const { client } of all) expect((await client.listTools()).tools).toHaveLength(12)
    const answers = await Promise.all(
      all.map(({ client }) => client.callTool({ name: 'diagnose_ingest', arguments: {} })),
    )
    expect(answers.map(answer => answer.isError === true)).toEqual(all.map(() => false))

    const before = await sendSpan('before the kill')
    await Promise.all(all.map(copy => eventually(copy, before, 'before the kill')))

    const first = owner()
    const pids = all.map(({ transport }) => transport.pid)
    expect(pids).toContain(first.pid)
    process.kill(first.pid, 'SIGKILL')
    const rest = all.filter(({ transport }) => transport.pid !== first.pid && transport.pid !== null)
    expect(rest).toHaveLength(copies - 1)

    // What was acknowledged by the owner that is gone is there for all who are left.
    await Promise.all(rest.map(copy => eventually(copy, before, 'before the kill')))
    const second = owner()
    expect(second.pid).not.toBe(first.pid)
    expect(rest.map(({ transport }) => transport.pid)).toContain(second.pid)
    const after = await sendSpan('after the kill')
    await Promise.all(rest.map(copy => eventually(copy, after, 'after the kill')))
  } finally {
    await Promise.all(all.map(({ client }) => client.close().catch(() => undefined)))
  }
}, 90_000)
