import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { locationOf, type PostgresServer, startPostgres } from '../../scripts/postgres-server.ts'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { callTool } from '../../src/cli/server-connection.ts'
import { openPostgresWriter } from '../../src/store/postgres/store-writer.ts'
import { storedItems } from '../durability/ledger.ts'
import { untilSealed } from '../durability/postgres-restarts-run.ts'
import { spanRequest } from '../engine/requests.ts'
import { runCommand } from './command.ts'

const root = mkdtempSync(join(tmpdir(), 'otelcontext-away-'))
let postgres: PostgresServer

beforeAll(async () => {
  postgres = await startPostgres()
})

afterAll(async () => {
  await postgres.remove()
  rmSync(root, { recursive: true, force: true })
})

const environment = (database = 'postgres') => ({ DB_DRIVER: 'postgres', DB_DSN: postgres.dsn(database) })

async function send(server: ServerProcess, seed: number): Promise<number> {
  const body = new Uint8Array(spanRequest({ seed, spans: 5, timeMs: Date.now() }))
  const headers = { 'content-type': 'application/x-protobuf' }
  const response = await fetch(`${server.otlpHttpUrl}/v1/traces`, { method: 'POST', headers, body })
  await response.arrayBuffer()
  return response.status
}

const mebibyte = 1024 * 1024
/** Some 50 kB. */
const manySpans = 500

async function sendMany(server: ServerProcess, seed: number): Promise<Response> {
  const body = new Uint8Array(spanRequest({ seed, spans: manySpans, timeMs: Date.now() }))
  const headers = { 'content-type': 'application/x-protobuf' }
  const response = await fetch(`${server.otlpHttpUrl}/v1/traces`, { method: 'POST', headers, body })
  await response.arrayBuffer()
  return response
}

async function ask(server: ServerProcess): Promise<{ readonly failed: boolean; readonly json: string }> {
  const connection = {
    url: server.url,
    headers: {},
    origin: 'endpoint',
    close: async () => undefined,
  } as const
  return callTool(connection, 'search_traces', { from: '-1h' })
}

interface Check {
  readonly status: string
  readonly detail: string
}

async function storeCheck(server: ServerProcess): Promise<Check | undefined> {
  const response = await fetch(`${server.url}/ready`)
  expect(response.status).toBe(200)
  const { checks } = (await response.json()) as { readonly checks: Readonly<Record<string, Check>> } // our own report
  return checks['store']
}

const metric = async (server: ServerProcess, name: string): Promise<string | undefined> =>
  new RegExp(`^${name} (\\S+)$`, 'm').exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]

const until = { timeout: 15_000, interval: 100 }

describe('while Postgres is away', () => {
  it('a running server takes telemetry, says so, answers with a code, and goes on by itself', async () => {
    const server = await startServerProcess({
      dataDirectory: join(root, 'running'),
      environment: environment(),
    })
    expect(await send(server, 1)).toBe(200)
    await untilSealed(server)
    expect(await metric(server, 'OtelContext_db_up')).toBe('1')
    expect(await metric(server, 'otelcontext_db_pool_max_open')).toBe('20')
    await postgres.stop()
    expect(await send(server, 2)).toBe(200)
    const answer = await ask(server)
    expect(answer.failed).toBe(true)
    expect(JSON.parse(answer.json)).toMatchObject({ error: { code: 'store_unreachable' } })
    await expect
      .poll(() => storeCheck(server), until)
      .toMatchObject({ status: 'warning', detail: expect.stringContaining('127.0.0.1') })
    expect((await storeCheck(server))?.detail).not.toContain('not a secret')
    await expect.poll(() => metric(server, 'OtelContext_db_up'), until).toBe('0')
    await postgres.start()
    await untilSealed(server)
    await expect.poll(async () => (await ask(server)).failed, until).toBe(false)
    await expect.poll(() => metric(server, 'OtelContext_db_up'), until).toBe('1')
    expect(await server.stop()).toBe(0)
    const stored = await storedItems(locationOf(postgres.dsn('postgres')))
    expect([...stored.keys()].sort()).toEqual(
      [1, 2].flatMap(seed => [0, 1, 2, 3, 4].map(item => `${seed}-${item}`)),
    )
    expect(new Set(stored.values())).toEqual(new Set([1]))
  })

  it('refuses with a time to come back once the inbox is at its bound, and takes data again afterwards', async () => {
    await postgres.run('CREATE DATABASE bounded')
    const server = await startServerProcess({
      dataDirectory: join(root, 'bounded'),
      environment: { ...environment('bounded'), INBOX_MAX_BYTES: String(mebibyte) },
    })
    await postgres.stop()
    const stored: number[] = []
    let refused: Response | null = null
    for (let seed = 1; seed <= 100 && refused === null; seed++) {
      const response = await sendMany(server, seed)
      if (response.status === 200) stored.push(seed)
      else refused = response
    }
    expect(stored.length).toBeGreaterThan(3)
    expect([429, 503]).toContain(refused?.status)
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    await postgres.start()
    await untilSealed(server)
    await expect.poll(async () => (await sendMany(server, 200)).status, until).toBe(200)
    await untilSealed(server)
    expect(await server.stop()).toBe(0)
    const counts = await storedItems(locationOf(postgres.dsn('bounded')))
    expect(counts.size).toBe((stored.length + 1) * manySpans)
    expect(new Set(counts.values())).toEqual(new Set([1]))
  })

  it('a server starts, takes telemetry, stops in time, and the next one stores it', async () => {
    await postgres.run('CREATE DATABASE later')
    await postgres.stop()
    const options = { dataDirectory: join(root, 'starting'), environment: environment('later') }
    const first = await startServerProcess(options)
    expect(await send(first, 1)).toBe(200)
    expect(await storeCheck(first)).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('ECONN'),
    })
    const stopping = performance.now()
    expect(await first.stop()).toBe(0)
    // A bound of the contract, not a speed: an operator's stop is under ten seconds.
    expect(performance.now() - stopping).toBeLessThan(10_000)
    const second = await startServerProcess(options)
    expect(await send(second, 2)).toBe(200)
    await postgres.start()
    await untilSealed(second)
    expect(await second.stop()).toBe(0)
    expect((await storedItems(locationOf(postgres.dsn('later')))).size).toBe(10)
  })
})

describe('another writer, while the server had lost its connections', () => {
  it('costs the server a new start of its engine and nothing else', async () => {
    await postgres.run('CREATE DATABASE shared')
    const options = { dataDirectory: join(root, 'shared'), environment: environment('shared') }
    const server = await startServerProcess(options)
    expect(await send(server, 1)).toBe(200)
    await untilSealed(server)
    // Held up, so that the other one comes first.
    process.kill(server.pid, 'SIGSTOP')
    await postgres.stop()
    await postgres.start()
    const other = await openPostgresWriter(locationOf(postgres.dsn('shared')))
    process.kill(server.pid, 'SIGCONT')
    expect(await send(server, 2)).toBe(200)
    await expect.poll(async () => (await storeCheck(server))?.detail, until).toContain('another process')
    await other.close()
    await untilSealed(server)
    expect(await server.stop()).toBe(0)
    const stored = await storedItems(locationOf(postgres.dsn('shared')))
    expect([...stored.values()]).toEqual(Array.from({ length: 10 }, () => 1))
  })
})

describe('a failover to a server that is behind', () => {
  it('is noticed without new telemetry, and what the inbox kept is stored again, once', async () => {
    const dataDirectory = join(root, 'failover')
    const database = { ...environment(), INBOX_KEEP_SEALED: '1h' }
    await postgres.run('CREATE DATABASE failover')
    database.DB_DSN = postgres.dsn('failover')
    const server = await startServerProcess({ dataDirectory, environment: database })
    expect(await send(server, 1)).toBe(200)
    await untilSealed(server)
    await postgres.stop()
    postgres.save()
    await postgres.start()
    expect(await send(server, 2)).toBe(200)
    await untilSealed(server)
    await expect.poll(async () => (await storedItems(locationOf(database.DB_DSN))).size, until).toBe(10)
    await postgres.stop()
    postgres.restore()
    await postgres.start()
    await expect.poll(async () => (await storedItems(locationOf(database.DB_DSN))).size, until).toBe(10)
    expect(await send(server, 3)).toBe(200)
    await untilSealed(server)
    expect(await server.stop()).toBe(0)
    const stored = await storedItems(locationOf(database.DB_DSN))
    expect(stored.size).toBe(15)
    expect(new Set(stored.values())).toEqual(new Set([1]))
  })
})

describe('a Postgres that cannot be used', () => {
  it.each([
    [
      'a wrong password',
      (dsn: string) => dsn.replace(/:[^:@]*@/, ':hidden@'),
      /refuses the password.*DB_DSN/,
    ],
    ['a DSN that is none', () => 'host hidden', /DB_DSN is neither/],
  ])('ends the start with code 2 and one sentence: %s', async (_, dsn, sentence) => {
    const result = await runCommand(['serve'], {
      DATA_DIR: join(root, 'refused'),
      DB_DRIVER: 'postgres',
      DB_DSN: dsn(postgres.dsn('postgres')),
    })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(sentence)
    expect(result.stderr + result.stdout).not.toMatch(/hidden|not a secret|not%20a%20secret/)
  })
})
