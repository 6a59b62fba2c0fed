/**
 * The order of writes: no OK leaves the process before the fdatasync that covers its request has returned.
 * `node test/durability/order.ts` traces the system calls of a real server while clients send: as shipped; with
 * every twentieth fdatasync of a thread failing; and with synchronous switched off, where the same check must
 * find answers that left too early, because a check that cannot fail shows nothing. Needs strace, and fails
 * without it. Exit code 0 only if all of it holds.
 *
 * Each request carries a marker of its own and travels on a connection of its own, so the trace tells which
 * answer belongs to which bytes. Lines of a trace are in the order in which the kernel was seen to act.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { spanRequest } from '../engine/requests.ts'
import { storedItems } from './ledger.ts'

if (process.argv.includes('--help')) {
  process.stdout.write(`usage: npm run test:order

Traces the system calls of a server while clients send (needs strace): no answer may leave before the fdatasync that
covers its request. As shipped, with every twentieth fdatasync failing, and with synchronous off, where the check
has to find answers that left too early.

exit code: 0 all of it holds, 1 it does not
`)
  process.exit(0)
}

const clients = 8
const requestsPerClient = 30
const total = clients * requestsPerClient
const serverFile = fileURLToPath(new URL('./order-server.ts', import.meta.url))

type Mode = 'as shipped' | 'failing syncs' | 'synchronous off'

interface Verdict {
  /** Answers whose request was synced before. */
  readonly covered: number
  /** Answers that left before. */
  readonly early: number
  /** Answers whose request was never seen written. */
  readonly unknown: number
  /** Fdatasync calls on the log of the inbox. */
  readonly syncs: number
  /** Of these, failed. */
  readonly failed: number
  /** Answers that told the client to come back. */
  readonly retries: number
  /** Items stored other than exactly once. */
  readonly wrong: number
}

/** Sends one request on a connection of its own; resolves with the client's port, or null if it is to come back. */
function send(port: number, body: Uint8Array): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false })
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
    const sent = httpRequest({ port, host: '127.0.0.1', path: '/v1/traces', method: 'POST', headers, agent })
    let localPort = 0
    sent.on('socket', socket =>
      socket.once('connect', () => {
        localPort = socket.localPort ?? 0
      }),
    )
    sent.on('error', reject)
    sent.on('response', response => {
      response.resume()
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(localPort)
          : response.statusCode === 503
            ? resolve(null)
            : reject(new Error(`status ${response.statusCode}`)),
      )
    })
    sent.end(body)
  })
}

interface Sent {
  /** Markers by the port their answers went to, in the order of the answers: the system may give a port out again. */
  readonly markers: ReadonlyMap<number, readonly string[]>
  readonly retries: number
}

/** Sends until it is acknowledged. */
async function sendAll(port: number): Promise<Sent> {
  const markers = new Map<number, string[]>()
  let retries = 0
  const run = async (client: number): Promise<void> => {
    for (let i = 0; i < requestsPerClient; i++) {
      const marker = `order-marker-${client}-${i}-end`
      const seed = client * requestsPerClient + i
      const body = spanRequest({ seed, spans: 1, service: marker, timeMs: Date.now() })
      let answeredTo = await send(port, body)
      for (; answeredTo === null; answeredTo = await send(port, body)) {
        retries++
        await pause(50)
      }
      const onPort = markers.get(answeredTo)
      if (onPort === undefined) markers.set(answeredTo, [marker])
      else onPort.push(marker)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)))
  return { markers, retries }
}

/** Runs the server under strace while clients send. */
async function trace(mode: Mode, directory: string): Promise<Sent> {
  const calls = 'trace=fdatasync,fsync,write,writev,pwrite64,pwritev,sendto,sendmsg'
  const inject = mode === 'failing syncs' ? ['-e', 'inject=fsync,fdatasync:error=EIO:when=15+20'] : []
  // Long enough for a page of the log, so that markers can be found in it.
  const options = ['-f', '-yy', '-s', '65536', '-e', calls, ...inject, '-o', join(directory, 'trace')]
  const synchronous = mode === 'synchronous off' ? 'OFF' : 'FULL'
  const command = [...options, process.execPath, serverFile, directory, synchronous]
  const child: ChildProcess = spawn('strace', command, { stdio: ['pipe', 'pipe', 'inherit'] })
  if (child.stdout === null || child.stdin === null) throw new Error('the server has no pipes')
  const [line] = await once(child.stdout, 'data')
  const sent = await sendAll(Number(String(line).trim()))
  child.stdin.end()
  await once(child, 'exit')
  return sent
}

const failedSync = /\) += -1 /

/** Reads a trace: which markers were written to the log, synced, and answered, in this order. */
async function judge(file: string, sent: Sent): Promise<Omit<Verdict, 'wrong'>> {
  const state = new Map<string, 'written' | 'synced'>()
  /** By thread: what its running fdatasync covers. */
  const syncing = new Map<string, readonly string[]>()
  const verdict = { covered: 0, early: 0, unknown: 0, syncs: 0, failed: 0, retries: sent.retries }
  /** By port: how many of its answers were seen. */
  const answered = new Map<number, number>()
  const finishSync = (thread: string): void => {
    for (const marker of syncing.get(thread) ?? []) state.set(marker, 'synced')
    syncing.delete(thread)
  }
  const isSyncing = (thread: string): boolean => syncing.has(thread)
  for await (const line of createInterface({ input: createReadStream(file, 'latin1') })) {
    const thread = line.slice(0, line.indexOf(' '))
    if (/ pwritev?(64)?\(\d+<[^>]*inbox\.db-wal>/.test(line)) {
      for (const [marker] of line.matchAll(/order-marker-\d+-\d+-end/g)) {
        if (!state.has(marker)) state.set(marker, 'written')
      }
    } else if (/ f(data)?sync\(\d+<[^>]*inbox\.db-wal>/.test(line)) {
      verdict.syncs++
      syncing.set(
        thread,
        [...state].filter(([, step]) => step === 'written').map(([marker]) => marker),
      )
      if (/\) += 0$/.test(line)) finishSync(thread)
      else if (failedSync.test(line)) verdict.failed++
    } else if (isSyncing(thread) && /<\.\.\. f(data)?sync resumed>/.test(line)) {
      if (/\) += 0$/.test(line)) finishSync(thread)
      else verdict.failed++
    } else if (line.includes('HTTP/1.1 200')) {
      const peer = Number(/<TCP:\[[^\]]*->[^\]]*:(\d+)\]>/.exec(line)?.[1] ?? 0)
      const seen = answered.get(peer) ?? 0
      const marker = sent.markers.get(peer)?.[seen]
      if (marker === undefined) continue
      answered.set(peer, seen + 1)
      const step = state.get(marker)
      if (step === 'synced') verdict.covered++
      else if (step === 'written') verdict.early++
      else verdict.unknown++
    }
  }
  return verdict
}

async function run(mode: Mode): Promise<Verdict> {
  const directory = mkdtempSync(join(tmpdir(), 'order-'))
  try {
    const sent = await trace(mode, directory)
    const verdict = await judge(join(directory, 'trace'), sent)
    const stored = [...(await storedItems(join(directory, 'store.db'))).values()]
    const wrong = stored.filter(count => count !== 1).length + Math.abs(stored.length - total)
    const { covered, early, unknown, syncs, failed, retries } = verdict
    say(
      `${mode}: ${covered} of ${total} answers after their fdatasync, ${early} before it, ${unknown} unknown; ${syncs} syncs, ${failed} failed; ${retries} told to come back; ${wrong} items not stored once`,
    )
    return { ...verdict, wrong }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function holds(verdict: Verdict): boolean {
  return verdict.covered === total && verdict.early + verdict.unknown + verdict.wrong === 0
}

if (spawnSync('strace', ['-V']).status !== 0) {
  say('order test: strace is not installed, so nothing was shown; install it (apt-get install strace)')
  process.exit(1)
}
const shipped = await run('as shipped')
const failing = await run('failing syncs')
const off = await run('synchronous off')
const shown = holds(shipped) && holds(failing) && failing.failed > 0 && failing.retries > 0
const canFail = off.early > total / 2
say(shown && canFail ? 'order test: ok' : 'order test: FAILED')
process.exit(shown && canFail ? 0 : 1)
