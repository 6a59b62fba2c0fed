/** The whole server over stored data: start, calls over MCP, answers while it takes all it can. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { offer } from '../measure/offer.ts'
import { cpuSecondsOf } from '../measure/process-figures.ts'
import { quantile, timesOf } from '../measure/quantile.ts'
import { storedData } from '../measure/stored-data.ts'
import { startEcho, startWhole } from '../measure/subjects.ts'
import { openToolCalls, type ToolCalls } from '../measure/tool-calls.ts'
import { spanData, storedSpans, traceIds } from './reads.ts'
import { judged, type Row, shown } from './row.ts'

const command = fileURLToPath(new URL('../../bin/otelcontext.js', import.meta.url))

/** Milliseconds from the start of `otelcontext mcp` on a free directory to its first answer over stdio. */
async function firstStdioAnswer(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-bench-stdio-'))
  const started = performance.now()
  const child = spawn(process.execPath, [command, 'mcp'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, DATA_DIR: directory, HTTP_PORT: '0', GRPC_PORT: '0', OTLP_HTTP_PORT: '0' },
  })
  const answered = new Promise<number>(resolve =>
    child.stdout.once('data', () => resolve(performance.now() - started)),
  )
  const params = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  }
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
  const ms = await answered
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.stdin.end()
  child.kill('SIGTERM')
  await exited
  rmSync(directory, { recursive: true, force: true })
  return ms
}

export const start: Row = {
  id: 'start',
  title: 'Start',
  async run(context) {
    context.progress('empty')
    const empty: number[] = []
    for (let turn = 0; turn < 5; turn++) empty.push(await firstStdioAnswer())
    const data = await storedData(context.dataRoot, spanData(context.scale))
    context.progress('with data')
    const ready: number[] = []
    const answered: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      const started = performance.now()
      const server = await startWhole({ dataDirectory: data.directory })
      ready.push(performance.now() - started)
      const calls = openToolCalls(server.url)
      await calls.call('get_service_map', { from: '-4h' })
      answered.push(performance.now() - started)
      calls.close()
      await server.finish()
    }
    return {
      figures: [
        judged(
          {
            id: 'start.empty',
            what: 'empty: first answer over stdio, median of 5',
            value: quantile(empty, 0.5),
            unit: 'ms',
          },
          { most: 500 },
        ),
        judged(
          {
            id: 'start.stored',
            what: `${shown(storedSpans[context.scale])} spans stored: ready, median of 3`,
            value: quantile(ready, 0.5),
            unit: 'ms',
            baseline: `first answer: ${shown(quantile(answered, 0.5))} ms`,
          },
          { most: 2_000 },
        ),
      ],
    }
  },
}

export const mcp: Row = {
  id: 'mcp',
  title: 'MCP tools/call',
  async run(context) {
    const count = context.scale === 'smoke' ? 50 : 2_000
    const echo = await startEcho()
    const server = await startWhole()
    try {
      const measure = async (pid: number, calls: ToolCalls): Promise<number> => {
        for (let n = 0; n < count / 2; n++) await calls.call('get_service_map', {})
        const before = cpuSecondsOf(pid)
        for (let n = 0; n < count; n++) await calls.call('get_service_map', {})
        return ((cpuSecondsOf(pid) - before) / count) * 1_000
      }
      const bare = openToolCalls(echo.otlpHttpUrl)
      const ours = openToolCalls(server.url)
      context.progress('bare echo')
      const bareMs = await measure(echo.pid, bare)
      context.progress('tools/call, answer remembered')
      const oursMs = await measure(server.pid, ours)
      bare.close()
      ours.close()
      return {
        figures: [
          judged(
            {
              id: 'mcp.cpu',
              what: 'CPU of a tools/call over HTTP whose answer is remembered, to a bare JSON echo',
              value: oursMs / bareMs,
              unit: 'times',
              baseline: `echo: ${shown(bareMs)} ms`,
              ratio: oursMs / bareMs,
            },
            { most: 12 },
          ),
        ],
      }
    } finally {
      await Promise.all([echo.finish(), server.finish()])
    }
  },
}

export const contention: Row = {
  id: 'contention',
  title: 'Queries during full ingest',
  async run(context) {
    const ids = await traceIds(context, 200)
    const data = await storedData(context.dataRoot, spanData(context.scale))
    // What is sent here must not stay with the data of the other rows.
    const copy = mkdtempSync(join(tmpdir(), 'otelcontext-bench-contention-'))
    cpSync(data.directory, copy, { recursive: true })
    const server = await startWhole({
      dataDirectory: copy,
      environment: { MCP_CACHE_TTL_MS: '0', INBOX_MAX_BYTES: String(4 * 1024 ** 3) },
    })
    const calls = openToolCalls(server.url)
    try {
      let turn = 0
      const asked: readonly (readonly [string, () => Promise<string>])[] = [
        ['get_trace', () => calls.call('get_trace', { trace_id: ids[turn++ % ids.length] ?? '' })],
        ['get_service_map', () => calls.call('get_service_map', { from: '-4h', to: '-2h' })],
      ]
      // Of sixty the 99th percentile would be the slowest one, and the row the ratio of two extremes.
      const rounds = context.scale === 'smoke' ? 5 : 300
      const measure = async (): Promise<readonly number[]> => {
        const p99: number[] = []
        for (const [, ask] of asked) p99.push(quantile(await timesOf(rounds, ask, 10), 0.99))
        return p99
      }
      context.progress('idle')
      const idle = await measure()
      context.progress('during full ingest')
      const stop = new AbortController()
      const load = offer(server, { seconds: 600, idSeed: 7, signalToStop: stop.signal })
      await new Promise(resolve => setTimeout(resolve, context.warmUpSeconds * 1_000))
      const busy = await measure()
      stop.abort()
      await load
      return {
        figures: asked.map(([name], at) => {
          const ratio = (busy[at] ?? Number.NaN) / (idle[at] ?? Number.NaN)
          return judged(
            {
              id: `contention.${name}`,
              what: `${name} over MCP during full ingest, p99 ${shown(busy[at] ?? 0)} ms`,
              value: ratio,
              unit: 'times idle',
              baseline: `idle p99: ${shown(idle[at] ?? 0)} ms`,
              ratio,
            },
            { most: 3 },
          )
        }),
      }
    } finally {
      calls.close()
      await server.finish()
      rmSync(copy, { recursive: true, force: true })
    }
  },
}
