/** A segment whose bytes have changed on disk, in the real process: the rest is served, and nobody has to guess. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, it } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { callTool } from '../../src/cli/server-connection.ts'
import { untilSealed } from '../durability/postgres-restarts-run.ts'
import { spanRequest } from '../engine/requests.ts'
import { runCommand } from './command.ts'

const dataDirectory = mkdtempSync(join(tmpdir(), 'otelcontext-damaged-'))
/** More than there are query threads, each of which meets the damage. */
const questions = 8

/** Ended with the test even if it fails half-way. */
const servers: ServerProcess[] = []

afterAll(async () => {
  await Promise.all(servers.map(server => server.kill()))
  rmSync(dataDirectory, { recursive: true, force: true })
})

async function start(onLog: (line: string) => void = () => undefined): Promise<ServerProcess> {
  const server = await startServerProcess({ dataDirectory, onLog })
  servers.push(server)
  return server
}

/** Two segments, sealed one after the other. */
async function storeTwoSegments(): Promise<void> {
  const server = await start()
  for (const seed of [1, 2]) {
    const body = new Uint8Array(spanRequest({ seed, spans: 5, timeMs: Date.now() }))
    const headers = { 'content-type': 'application/x-protobuf' }
    const response = await fetch(`${server.otlpHttpUrl}/v1/traces`, { method: 'POST', headers, body })
    expect(response.status).toBe(200)
    await untilSealed(server)
  }
  expect(await server.stop()).toBe(0)
}

/** Changes one byte of every part of the first segment. */
function damageFirstSegment(): void {
  const database = new Database(join(dataDirectory, 'otelcontext.db'))
  const [first, second] = database.prepare('SELECT sequence FROM segment ORDER BY sequence').pluck().all()
  expect(second).toBeGreaterThan(Number(first))
  const ids = database.prepare('SELECT id FROM segment_part ORDER BY id').pluck().all().map(Number)
  const half = ids.slice(0, ids.length / 2)
  for (const id of half) {
    const bytes = database.prepare('SELECT bytes FROM segment_part WHERE id = ?').pluck().get(id)
    const changed = Buffer.from(bytes as Uint8Array) // the column's type
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 0x10
    database.prepare('UPDATE segment_part SET bytes = ? WHERE id = ?').run(changed, id)
  }
  database.close()
}

it('is left out of answers that say so, named in the log once and by verify, and the rest is served', async () => {
  await storeTwoSegments()
  damageFirstSegment()
  const lines: string[] = []
  const server = await start(line => lines.push(line))
  const connection = {
    url: server.url,
    headers: {},
    origin: 'endpoint',
    close: async () => undefined,
  } as const
  const answers = await Promise.all(
    Array.from({ length: questions }, (_, i) =>
      callTool(connection, 'search_traces', { from: `-${i + 1}h` }),
    ),
  )
  for (const { failed, json } of answers) {
    expect(failed).toBe(false)
    expect(json).toContain('corrupt segments were skipped')
    expect(json).toContain('"2-')
    expect(json).not.toContain('"1-')
  }
  expect(await server.stop()).toBe(0)
  const damage = lines.filter(line => line.includes('"event":"store_damage"'))
  expect(damage).toHaveLength(1)
  expect(damage[0]).toMatch(/segment \w+: .*checksum/)
  const verified = await runCommand(['verify'], { DATA_DIR: dataDirectory })
  expect(verified.code).toBe(1)
  expect(verified.stdout).toMatch(/checksum/)
})
