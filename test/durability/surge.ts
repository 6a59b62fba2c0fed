/** `npm run test:surge`: ten times the senders that saturate it, for ten minutes. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileServer } from '../../scripts/compiled-server.ts'
import { type ServerProcess, startServerProcess } from '../../scripts/server-process.ts'
import { accountedSpans } from './accounted-spans.ts'
import { readCommandLine, say } from './command.ts'
import type { SurgeReport } from './surge-sender.ts'

const senderFile = fileURLToPath(new URL('./surge-sender.ts', import.meta.url))
const maxResidentMib = 512
const minUseful = 0.8
const sampleMs = 500

const { numbers } = readCommandLine({
  inOneGo: true,
  usage: 'npm run test:surge -- --seconds 600',
  description:
    'Measures what the server accepts from senders that saturate it, then lets ten times as many send without ever waiting.\nIts resident memory stays under 512 MiB, it accepts at least 80 % of what it did before, every refusal says when to\ncome back, and everything acknowledged is stored, once. Senders and server share the machine.',
  options: {
    seconds: { default: 600, help: 'how long the surge lasts' },
    calibration: { default: 30, help: 'seconds of the measurement before it' },
    senders: { default: 8, help: 'connections that saturate it' },
    times: { default: 10, help: 'how many times as many in the surge' },
  },
})

function sendFor(url: string, connections: number, seconds: number, seed: number): Promise<SurgeReport> {
  const command = [senderFile, url, String(connections), String(seconds), String(seed)]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('exit', code => {
      if (code === 0)
        resolve(JSON.parse(text) as SurgeReport) // our own process wrote it
      else reject(new Error(`the senders ended with code ${code}`))
    })
  })
}

/** Resident mebibytes of a process; 0 once it is gone. */
function residentMib(pid: number): number {
  try {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kib ?? 0) / 1_024
  } catch {
    return 0
  }
}

function rateOf(report: SurgeReport): number {
  return report.acceptedSpans / report.seconds
}

async function run(server: ServerProcess, dataDirectory: string): Promise<boolean> {
  let peakMib = 0
  let lastMib = 0
  const sampling = setInterval(() => {
    lastMib = residentMib(server.pid)
    peakMib = Math.max(peakMib, lastMib)
  }, sampleMs)
  const senders = numbers['senders'] ?? 1
  const url = server.otlpHttpUrl
  const warm = await sendFor(url, senders, 5, 0)
  const before = await sendFor(url, senders, numbers['calibration'] ?? 1, 2_000_000)
  say(`saturated by ${senders} senders: ${Math.round(rateOf(before))} spans/s, ${Math.round(peakMib)} MiB`)
  const many = senders * (numbers['times'] ?? 1)
  const started = performance.now()
  const telling = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1_000)
    say(`  ${seconds} s: ${Math.round(lastMib)} MiB now, ${Math.round(peakMib)} at most`)
  }, 30_000)
  const surge = await sendFor(url, many, numbers['seconds'] ?? 1, 4_000_000)
  clearInterval(telling)
  clearInterval(sampling)
  const useful = rateOf(surge) / rateOf(before)
  say(
    `${many} senders: ${Math.round(rateOf(surge))} spans/s (${Math.round(useful * 100)} % of before), ${surge.refused} of ${surge.sent} requests refused, ${surge.refusedWithoutTime} of them without a time, ${surge.broken} broken; at most ${Math.round(peakMib)} MiB resident`,
  )
  const code = await server.stop()
  const acknowledged = warm.acceptedSpans + before.acceptedSpans + surge.acceptedSpans
  const { kept: stored } = await accountedSpans(dataDirectory)
  say(`acknowledged ${acknowledged} spans, stored ${stored}, exit code ${code}`)
  const refusedWell = surge.refusedWithoutTime + before.refusedWithoutTime === 0
  return (
    useful >= minUseful &&
    peakMib < maxResidentMib &&
    refusedWell &&
    surge.broken === 0 &&
    stored === acknowledged &&
    code === 0
  )
}

const directory = mkdtempSync(join(tmpdir(), 'surge-'))
const compiled = compileServer()
let held = false
try {
  const dataDirectory = join(directory, 'data')
  const entry = compiled.entry
  const server = await startServerProcess({ dataDirectory, entry })
  try {
    held = await run(server, dataDirectory)
  } finally {
    await server.kill()
  }
} finally {
  compiled.remove()
  rmSync(directory, { recursive: true, force: true })
}
say(held ? 'surge: ok' : 'surge: FAILED')
process.exit(held ? 0 : 1)
