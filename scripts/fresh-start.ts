/**
 * Packs the package, installs the tarball in an empty folder without dev dependencies, and does the main job with it:
 * serve, ingest over OTLP/HTTP, answer a tool call. Exit code 0 only if all of that worked.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { callTool, type ServerConnection } from '../src/cli/server-connection.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const patienceMs = 15_000

const folder = mkdtempSync(join(tmpdir(), 'otelcontext-fresh-'))
const started = performance.now()
const say = (text: string): void =>
  console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(5)} s  ${text}`)

try {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const tarball = readdirSync(folder).find(name => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack left no tarball')
  say(`packed ${tarball}`)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'fresh', private: true }))
  execFileSync(
    'npm',
    ['install', '--omit=dev', '--no-audit', '--no-fund', '--silent', join(folder, tarball)],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  say('installed without dev dependencies')
  const entry = join(folder, 'node_modules', 'otelcontext', 'bin', 'otelcontext.js')
  const version = execFileSync(process.execPath, [entry, '--version'], { encoding: 'utf8' }).trim()
  say(`answers --version: ${version}`)
  await useIt(entry)
  say('served, ingested, answered, stopped')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function useIt(entry: string): Promise<void> {
  const server = await startServerProcess({ dataDirectory: join(folder, 'data'), entry })
  try {
    await ask(server)
  } catch (error) {
    await server.kill()
    throw error
  }
  const code = await server.stop()
  if (code !== 0) throw new Error(`the server ended with code ${code}`)
}

async function ask(server: ServerProcess): Promise<void> {
  say('serves')
  const connection: ServerConnection = {
    url: server.url,
    headers: {},
    origin: 'endpoint',
    close: async () => undefined,
  }
  const traceId = '5b8efff798038103d269b633813fc60c'
  await sendSpan(server.otlpHttpUrl, traceId)
  say('acknowledged a span')
  const giveUpAt = Date.now() + patienceMs
  for (;;) {
    const reply = await callTool(connection, 'get_trace', { trace_id: traceId })
    if (!reply.failed && reply.json.includes('fresh start')) break
    if (Date.now() > giveUpAt) throw new Error(`get_trace did not find the span: ${reply.json.slice(0, 500)}`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  say('get_trace found it')
}

async function sendSpan(otlpHttpUrl: string, traceId: string): Promise<void> {
  const startNs = BigInt(Date.now()) * 1_000_000n
  const span = {
    traceId,
    spanId: 'eee19b7ec3c1b174',
    name: 'fresh start',
    kind: 2,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 5_000_000n),
  }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'newcomer' } }] }
  const response = await fetch(`${otlpHttpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  })
  if (!response.ok) throw new Error(`/v1/traces answered ${response.status}: ${await response.text()}`)
}
