/** The pool with the worker it ships with, over a store file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import type { TailMessage } from '../../src/model/tail.ts'
import { createQueryPool, type QueryPool } from '../../src/query/pool.ts'
import type { QueryWorkerSettings } from '../../src/query/worker.ts'
import { shopEndMs, shopRequests, traceIdOf } from '../tools/shop-telemetry.ts'
import {
  operator,
  parseAnswer,
  startTelemetrySystem,
  type TelemetrySystem,
} from '../tools/telemetry-system.ts'

const window = { from: '2026-01-15T12:30:00Z', to: '2026-01-15T13:00:00Z' }
const never = new AbortController().signal

let system: TelemetrySystem
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'otelcontext-pool-'))
  system = startTelemetrySystem(shopEndMs)
  system.publish(shopRequests())
  await system.seal()
})
afterAll(async () => {
  await system.close()
  rmSync(directory, { recursive: true, force: true })
})

function poolOver(databaseFile: string, lines: string[] = []): QueryPool {
  const settings: QueryWorkerSettings = {
    store: { driver: 'sqlite', file: databaseFile },
    exportDirectory: directory,
    attributeMaxBytes: 65_536,
    similarEntries: 1_000,
  }
  const sealed: TailMessage = { type: 'sealed', inboxId: system.inboxId, position: system.position }
  return createQueryPool({
    maxConcurrent: 4,
    callTimeoutMs: 30_000,
    cacheTtlMs: 0,
    workers: 1,
    settings,
    connectTail: (port: MessagePort) => port.postMessage(sealed),
    ingestCounters: async () => [],
    logger: createLogger('error', { write: line => void lines.push(line) }),
  })
}

describe('the worker of the product', () => {
  it('answers from the store file as the reader in this thread does', async () => {
    const pool = poolOver(system.file)
    const questions = [
      ['investigate', window],
      ['get_trace', { trace_id: traceIdOf(200), include: ['logs'] }],
      ['search_logs', { query: 'card', ...window }],
    ] as const
    for (const [tool, args] of questions) {
      const answer = await pool.call({ tool, args, caller: operator }, never)
      expect(answer.json).toBe((await system.ask(tool, args)).json)
    }
    await pool.stop()
  })

  it('says that the store cannot be read, and the log says why', async () => {
    const lines: string[] = []
    const pool = poolOver(join(directory, 'no-such-file.db'), lines)
    const answer = parseAnswer(
      await pool.call({ tool: 'investigate', args: window, caller: operator }, never),
    )
    expect(answer.failed).toBe(true)
    expect(answer.json).not.toContain('no-such-file')
    await expect.poll(() => lines.join('')).toContain('no-such-file')
    await pool.stop()
  })
})
