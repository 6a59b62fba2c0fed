import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { runCommand } from './command.ts'

const root = mkdtempSync(join(tmpdir(), 'otelcontext-command-'))
let folders = 0
const freshDirectory = (): string => join(root, `data-${folders++}`)

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('a start that cannot succeed ends with code 2 and one sentence with the remedy', () => {
  it('for every bad setting at once', async () => {
    const result = await runCommand(['serve'], {
      DATA_DIR: freshDirectory(),
      GRPC_PORT: 'x',
      LOG_LEVEL: 'loud',
    })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/GRPC_PORT/)
    expect(result.stderr).toMatch(/LOG_LEVEL/)
    expect(result.stdout).toBe('')
  })

  it('for a wide address without a key', async () => {
    const result = await runCommand(['serve'], { DATA_DIR: freshDirectory(), BIND_ADDRESS: '0.0.0.0' })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/API_KEY/)
  })

  it('for a busy port', async () => {
    const squatter = createServer()
    const port = await new Promise<number>(resolve =>
      squatter.listen(0, '127.0.0.1', () => {
        const address = squatter.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      }),
    )
    const result = await runCommand(['serve'], { DATA_DIR: freshDirectory(), GRPC_PORT: String(port) })
    squatter.close()
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(new RegExp(`${port}.*GRPC_PORT`, 's'))
  })

  it('for a directory that is a file', async () => {
    const file = join(root, 'a-file')
    writeFileSync(file, '')
    const result = await runCommand(['serve'], { DATA_DIR: join(file, 'data') })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/cannot be written.*DATA_DIR/s)
  })

  it('for a database of another program', async () => {
    const directory = freshDirectory()
    mkdirSync(directory, { recursive: true })
    const foreign = new Database(join(directory, 'otelcontext.db'))
    foreign.exec('CREATE TABLE songs (title TEXT)')
    foreign.close()
    const result = await runCommand(['serve'], { DATA_DIR: directory })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/otelcontext\.db/)
  })

  it('for a database of a newer version', async () => {
    const directory = freshDirectory()
    expect((await runCommand(['services', '--since', '5m'], { DATA_DIR: directory })).code).toBe(0)
    const database = new Database(join(directory, 'otelcontext.db'))
    database.pragma('user_version = 999')
    database.close()
    const result = await runCommand(['serve'], { DATA_DIR: directory })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/999/)
  })
})

describe('the command line', () => {
  it('explains itself', async () => {
    const { code, stdout } = await runCommand(['--help'], {})
    expect(code).toBe(0)
    for (const name of [
      'serve',
      'mcp',
      'investigate',
      'services',
      'logs',
      'trace',
      'replay',
      'export',
      'doctor',
      'healthcheck',
      'verify',
      'config',
    ]) {
      expect(stdout).toContain(name)
    }
    expect((await runCommand(['replay', '--help'], {})).stdout).toMatch(/OTLP\/JSON/)
  })

  it('refuses what it does not know with code 2', async () => {
    const command = await runCommand(['investgate'], {})
    expect(command).toMatchObject({ code: 2, stderr: expect.stringMatching(/Did you mean investigate\?/) })
    const option = await runCommand(['services', '--sinse', '5m'], {})
    expect(option).toMatchObject({ code: 2, stderr: expect.stringMatching(/otelcontext services --help/) })
    const unit = await runCommand(['services', '--since', '5x'], { DATA_DIR: freshDirectory() })
    expect(unit).toMatchObject({ code: 2, stderr: expect.stringMatching(/--since is "5x".*such as 30m/) })
    const toolsets = await runCommand(['--toolsets', 'unheard-of'], { DATA_DIR: freshDirectory() })
    expect(toolsets).toMatchObject({ code: 2, stderr: expect.stringMatching(/MCP_TOOLSETS/) })
    const both = await runCommand(['services', '--since', '5m', '--from', 'now-1h'], {
      DATA_DIR: freshDirectory(),
    })
    expect(both.code).toBe(2)
    expect(both.stderr).toMatch(/--since and --from/)
  })

  it('lists every setting with its source and hides secrets', async () => {
    const { code, stdout } = await runCommand(['config', '--json'], {
      API_KEY: 'k'.repeat(20),
      HTTP_PORT: '9999',
    })
    expect(code).toBe(0)
    expect(stdout).not.toContain('kkkk')
    const rows = JSON.parse(stdout) as { name: string; value: unknown; source: string }[]
    expect(rows.find(row => row.name === 'HTTP_PORT')).toMatchObject({ value: 9999, source: 'environment' })
    expect(rows.find(row => row.name === 'HOT_RETENTION_DAYS')).toMatchObject({ value: 7, source: 'default' })
  })

  it('does not call sound what is not there', async () => {
    const directory = freshDirectory()
    const { code, stdout, stderr } = await runCommand(['verify'], { DATA_DIR: directory })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`${directory} holds neither a store nor an inbox; is DATA_DIR right?`)
  })

  it('reports a directory nobody serves as CRITICAL with code 2', async () => {
    const result = await runCommand(['healthcheck'], { DATA_DIR: freshDirectory() })
    expect(result.code).toBe(2)
    expect(result.stdout).toMatch(/^CRITICAL: /)
  })
})

describe('with a server running', () => {
  const dataDirectory = freshDirectory()
  const environment = { DATA_DIR: dataDirectory }
  let server: ServerProcess

  beforeAll(async () => {
    server = await startServerProcess({ dataDirectory })
  })

  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  it('a second server stops and names the first', async () => {
    const result = await runCommand(['serve'], environment)
    expect(result.code).toBe(2)
    expect(result.stderr).toContain(server.url)
  })

  it('healthcheck says OK', async () => {
    const result = await runCommand(['healthcheck'], environment)
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^OK: /) })
  })

  it('doctor sends a span and reads it back', async () => {
    const result = await runCommand(['doctor', '--json'], environment)
    const hops = JSON.parse(result.stdout) as { hop: string; ok: boolean; detail: string }[]
    expect(hops.filter(hop => !hop.ok)).toEqual([])
    expect(hops.map(hop => hop.hop)).toContain('canary span sent and read back')
    expect(result.code).toBe(0)
  })

  it('replay sends recorded files and export gives them back', async () => {
    const folder = join(root, 'recorded')
    mkdirSync(folder, { recursive: true })
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const span = (index: number) => ({
      traceId: String(index).padStart(32, 'a'),
      spanId: String(index).padStart(16, 'b'),
      name: `recorded ${index}`,
      kind: 2,
      startTimeUnixNano: String(nowNs - 1_000_000n),
      endTimeUnixNano: String(nowNs),
    })
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'recorder' } }] }
    const line = (index: number): string =>
      JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span(index)] }] }] })
    writeFileSync(join(folder, 'a.jsonl'), `${line(1)}\n${line(2)}\n`)
    writeFileSync(join(folder, 'b.jsonl.gz'), gzipSync(`${line(3)}\n{"not":"telemetry"}\n`))
    const replayed = await runCommand(['replay', folder, '--json'], environment)
    expect(replayed.code).toBe(0)
    expect(JSON.parse(replayed.stdout)).toMatchObject({
      requests: 3,
      failed_requests: 0,
      rejected_items: 0,
      skipped_lines: 1,
    })
    expect(replayed.stderr).toMatch(/requests\/s/)
    const exported = await runCommand(['export', '--signal', 'traces', '--service', 'recorder'], environment)
    expect(exported.code).toBe(0)
    for (const index of [1, 2, 3]) expect(exported.stdout).toContain(`recorded ${index}`)
    const one = await runCommand(['export', '--trace', span(2).traceId], environment)
    expect(one.stdout).toContain('recorded 2')
    expect(one.stdout).not.toContain('recorded 1')
    const shown = await runCommand(['trace', span(3).traceId], environment)
    expect(shown.stdout).toContain('recorded 3')
  })

  it('verify reads everything beside the server, and names what is damaged', async () => {
    const sound = await runCommand(['verify', '--json'], environment)
    expect(JSON.parse(sound.stdout)).toMatchObject({ sound: true, findings: [] })
    expect(sound.code).toBe(0)
    const copy = freshDirectory()
    mkdirSync(copy, { recursive: true })
    // A database that is in use is copied by its own backup: file by file, log and pages would be of two moments.
    for (const file of ['inbox.db', 'otelcontext.db']) {
      const live = new Database(join(dataDirectory, file), { readonly: true })
      await live.backup(join(copy, file))
      live.close()
    }
    const database = new Database(join(copy, 'otelcontext.db'))
    const damage = database.prepare("UPDATE segment SET tenant = 'other'").run()
    database.close()
    expect(damage.changes).toBeGreaterThan(0)
    const damaged = await runCommand(['verify'], { DATA_DIR: copy })
    expect(damaged.code).toBe(1)
    expect(damaged.stdout).toMatch(/segment headers.*checksum/)
  })

  it('errors of a tool end with code 1 and say what would be right', async () => {
    const result = await runCommand(['trace', 'ffffffffffffffff'], environment)
    expect(result.code).toBe(1)
    expect(result.stdout).toMatch(/trace/)
    const time = await runCommand(['services', '--from', 'yesterday'], environment)
    expect(time.code).toBe(1)
    expect(time.stdout).toMatch(/RFC 3339/)
    const digits = await runCommand(['trace', 'zz'], environment)
    expect(digits.stdout).toMatch(/accepted: 8 to 32 hexadecimal digits/)
  })

  it('a question is answered whatever MCP_PATH and MCP_ENABLED say, and a server without MCP is told apart', async () => {
    const settings = { MCP_ENABLED: 'false', MCP_PATH: '/agents', DATA_DIR: freshDirectory() }
    const own = await runCommand(['services', '--json'], settings)
    expect(own).toMatchObject({ code: 0, stdout: expect.stringMatching(/nothing is stored/) })
    const elsewhere = await runCommand(['services', '--endpoint', server.url], settings)
    expect(elsewhere).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no MCP at \/agents; set MCP_PATH/),
    })
  })

  it('an export without anything in it says so, and a part of a trace id is refused in words', async () => {
    const unknown = await runCommand(['export', '--trace', 'f'.repeat(32)], environment)
    expect(unknown).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/export is empty/) })
    const part = await runCommand(['export', '--trace', 'ffffffff'], environment)
    expect(part).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/is 32 hexadecimal digits/),
    })
  })
})
