/** A process of ours: its control channel, its last words, and its certain end. */
import { type ChildProcess, fork } from 'node:child_process'
import type { Order, Report, ShopperFigures } from '../runtime/messages.ts'
import { pause } from '../runtime/pause.ts'

export interface ChildHandle {
  readonly name: string
  readonly pid: number
  readonly port: number
  order(order: Order): void
  /** Of the shoppers; null from any other process. */
  figures(): ShopperFigures | null
  /** Resolves when the process has ended; it is killed when it does not end by itself. */
  stop(): Promise<void>
  /** Ends the process at once, as a crash would. */
  kill(): Promise<void>
}

export interface ChildOptions {
  readonly name: string
  /** Absolute path of its main module. */
  readonly entry: string
  readonly environment: Readonly<Record<string, string>>
  readonly start: Order
  /** Called when it ends without having been told to, with its last words. */
  readonly onLost: (sentence: string) => void
  /** Gives up while it is starting; has no effect later. */
  readonly signal: AbortSignal
  readonly readyLimitMs: number
}

/** Slightly more than the flush that a process allows itself. */
const stopLimitMs = 3_500
/** Enough of stderr to see why a process ended. */
const lastWordsLimit = 2_000

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Starts a process and resolves when it takes requests. */
export async function startChild(options: ChildOptions): Promise<ChildHandle> {
  const child = fork(options.entry, [], {
    env: { PATH: process.env['PATH'], ...options.environment },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  alive.add(child)
  let lastWords = ''
  let expected = false
  let figures: ShopperFigures | null = null
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsLimit)
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const sentence = (): string => `${options.name} ended unexpectedly: ${lastWords.trim() || 'no output'}`
  const order = (message: Order): void => {
    // A process may end between the check and the write; its end is reported where it matters.
    if (child.connected) child.send(message, () => undefined)
  }
  const kill = async (): Promise<void> => {
    expected = true
    child.kill('SIGKILL')
    await ended
  }
  const stop = async (): Promise<void> => {
    expected = true
    if (!alive.has(child)) return
    order({ kind: 'stop' })
    const late = await Promise.race([ended.then(() => false), pause(stopLimitMs).then(() => true)])
    if (late) await kill()
  }

  const port = await new Promise<number>((resolve, reject) => {
    const giveUp = (why: string): void => {
      void kill()
      reject(new Error(`${options.name} ${why}`))
    }
    const interrupt = (): void => giveUp('was interrupted while starting')
    const timer = setTimeout(
      () => giveUp(`was not ready within ${options.readyLimitMs / 1000} s`),
      options.readyLimitMs,
    )
    options.signal.addEventListener('abort', interrupt, { once: true })
    if (options.signal.aborted) interrupt()
    const settled = (): void => {
      clearTimeout(timer)
      options.signal.removeEventListener('abort', interrupt)
    }
    child.on('message', (message: unknown) => {
      const report = message as Report // our own process is the only one at the other end
      if (report.kind === 'booted') order(options.start)
      else if (report.kind === 'figures') figures = report.figures
      else {
        settled()
        resolve(report.port)
      }
    })
    child.once('error', reject)
    child.once('close', () => {
      settled()
      alive.delete(child)
      reject(new Error(sentence()))
      if (!expected) options.onLost(sentence())
    })
  })
  return { name: options.name, pid: child.pid ?? 0, port, order, figures: () => figures, stop, kill }
}
