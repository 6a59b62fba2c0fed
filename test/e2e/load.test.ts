import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import type { LoadReport } from '../../src/cli/load/load-report.ts'
import type { VerifyReport } from '../../src/cli/load/verify-ledger.ts'
import { commandFile, runCommand } from './command.ts'

const root = mkdtempSync(join(tmpdir(), 'otelcontext-load-command-'))
let server: ServerProcess
let empty: ServerProcess

beforeAll(async () => {
  server = await startServerProcess({ dataDirectory: join(root, 'data') })
  empty = await startServerProcess({ dataDirectory: join(root, 'empty') })
})

afterAll(async () => {
  await Promise.all([server.stop(), empty.stop()])
  rmSync(root, { recursive: true, force: true })
})

const load = (args: readonly string[], endpoint = server.url): ReturnType<typeof runCommand> =>
  runCommand(['load', '--endpoint', endpoint, '--json', ...args], {})

describe('otelcontext load', () => {
  for (const transport of ['http', 'json', 'grpc']) {
    it(`stores every item it had acknowledged over ${transport}, once`, async () => {
      const ledger = join(root, `ledger-${transport}`)
      const rates = [
        '--rate',
        '40',
        '--logs-rate',
        '20',
        '--metrics-rate',
        '20',
        '--duration',
        '1s',
        '--batch',
        '10',
      ]
      const route = ['--transport', transport, '--grpc', server.grpcAddress, '--tenants', '2']
      const seed = String(['http', 'json', 'grpc'].indexOf(transport) + 1)
      const offered = await load([...rates, ...route, '--ledger', ledger, '--seed', seed, '--gzip'])
      expect(offered.stderr).toContain('making the requests')
      expect(offered.code).toBe(0)
      const report = JSON.parse(offered.stdout) as LoadReport
      const acknowledged = report.signals.reduce((sum, one) => sum + one.acknowledged_items, 0)
      for (const one of report.signals) expect(one.acknowledged_items).toBeGreaterThan(0)

      const verified = await load(['--verify', ledger])
      expect(JSON.parse(verified.stdout)).toMatchObject({
        acknowledged,
        stored: acknowledged,
        lost: 0,
        twice: 0,
      })
      expect(verified.code).toBe(0)
      // The same ledger against a server that has none of it: the comparison can fail.
      const elsewhere = await load(['--verify', ledger], empty.url)
      expect((JSON.parse(elsewhere.stdout) as VerifyReport).lost).toBe(acknowledged)
      expect(elsewhere.code).toBe(1)
    })
  }

  it('finds OTLP/gRPC of the server that owns the directory', async () => {
    const args = ['--transport', 'grpc', '--rate', '20', '--duration', '500ms', '--services', '2', '--json']
    const { code, stdout } = await runCommand(['load', ...args], { DATA_DIR: join(root, 'data') })
    const report = JSON.parse(stdout) as LoadReport
    expect(code).toBe(0)
    expect(report.signals[0]?.acknowledged_items).toBeGreaterThan(0)
  })

  it('ends on SIGINT with the report of what it has sent', async () => {
    const args = ['load', '--endpoint', server.url, '--json', '--rate', '20', '--duration', '60s']
    const child = spawn(process.execPath, [commandFile, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    await new Promise<void>(resolve => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (/traces [1-9]\d* acknowledged/.test(chunk.toString())) resolve()
      })
    })
    child.kill('SIGINT')
    const code = await new Promise<number | null>(resolve => child.once('close', resolve))
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as LoadReport
    expect(report.interrupted).toBe(true)
    expect(report.signals[0]?.acknowledged_items).toBeGreaterThan(0)
  })
})
