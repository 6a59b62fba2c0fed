/**
 * `npm run test:peers`: real OpenTelemetry clients in other languages against the real server, outside `npm test`
 * because they need Python 3 and Go and download packages. Set PEERS_DIR to keep what was installed between runs.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'
import { exportAll, exportedItems, itemsOf, type SignalName } from '../test/e2e/otlp-items.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const telemetrygen = 'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@latest'
const pythonPackages = [
  'opentelemetry-sdk',
  'opentelemetry-exporter-otlp-proto-grpc',
  'opentelemetry-exporter-otlp-proto-http',
  'opentelemetry-instrumentation-logging',
]
const signalNames: readonly SignalName[] = ['traces', 'logs', 'metrics']

const keep = process.env['PEERS_DIR']
const tools = keep ?? mkdtempSync(join(tmpdir(), 'otelcontext-peers-'))
const dataDirectory = mkdtempSync(join(tmpdir(), 'otelcontext-peers-data-'))
mkdirSync(tools, { recursive: true })

let passed = 0
let failed = 0

function report(name: string, ok: boolean, detail: string): void {
  if (ok) passed++
  else failed++
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${detail}`)
}

const runFile = promisify(execFile)

/** Not in one go: while a peer runs, connections that the server closes meanwhile have to be noticed. */
async function run(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<string> {
  const { stdout } = await runFile(command, args, {
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout
}

async function installPython(): Promise<string> {
  const python = join(tools, 'venv', 'bin', 'python')
  if (!existsSync(python)) await run('python3', ['-m', 'venv', join(tools, 'venv')])
  await run(python, ['-m', 'pip', 'install', '--quiet', ...pythonPackages])
  return python
}

async function installTelemetrygen(): Promise<string> {
  const binary = join(tools, 'bin', 'telemetrygen')
  if (!existsSync(binary)) await run('go', ['install', telemetrygen], { GOBIN: join(tools, 'bin') })
  return binary
}

type SentRequests = Readonly<Record<SignalName, readonly object[]>>

async function checkPython(server: ServerProcess, python: string): Promise<void> {
  const script = fileURLToPath(new URL('./peers/python_peer.py', import.meta.url))
  for (const transport of ['grpc', 'http']) {
    for (const compression of ['none', 'gzip']) {
      const service = `python ${transport} ${compression}`
      const endpoint = transport === 'grpc' ? `http://${server.grpcAddress}` : server.otlpHttpUrl
      const sent = JSON.parse(
        await run(python, [script, transport, endpoint, compression, service]),
      ) as SentRequests // printed by the script
      for (const signal of signalNames) {
        const expected = sent[signal]
          .flatMap(request => itemsOf(signal, request))
          .toSorted((a, b) => (a.key < b.key ? -1 : 1))
        const stored = await exportedItems(server, signal, service, expected.length)
        const same = expected.length > 0 && isDeepStrictEqual(stored, expected)
        report(
          `${service}, ${signal}`,
          same,
          `${stored.length} of ${expected.length} items${same ? ', every field equal' : ', fields differ'}`,
        )
      }
    }
  }
}

async function checkTelemetrygen(server: ServerProcess, binary: string): Promise<void> {
  const count = 50
  for (const http of [false, true]) {
    const endpoint = http ? new URL(server.otlpHttpUrl).host : server.grpcAddress
    for (const signal of signalNames) {
      const service = `telemetrygen ${http ? 'http' : 'grpc'} ${signal}`
      const before = (await exportAll(server, signal)).length
      await run(binary, [
        signal,
        '--otlp-insecure',
        `--otlp-endpoint=${endpoint}`,
        `--${signal}=${count}`,
        '--rate=0',
        `--service=${service}`,
        ...(http ? ['--otlp-http'] : []),
      ])
      // A generated trace has two spans.
      const expected = signal === 'traces' ? count * 2 : count
      let got = 0
      for (let attempt = 0; attempt < 50 && got < expected; attempt++) {
        await new Promise(resolve => setTimeout(resolve, 100))
        got = (await exportAll(server, signal)).length - before
      }
      report(service, got === expected, `${got} of ${expected} items`)
    }
  }
}

const server = await startServerProcess({ dataDirectory })
try {
  await checkPython(server, await installPython())
  await checkTelemetrygen(server, await installTelemetrygen())
} finally {
  await server.stop()
  rmSync(dataDirectory, { recursive: true })
  if (keep === undefined) rmSync(tools, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
