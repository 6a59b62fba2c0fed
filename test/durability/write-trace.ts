/** System calls that change files, read from a trace of strace, in the order in which the kernel was seen to act. */
import { spawnSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'

/** `file` is a name inside the traced directory. */
export type FileEvent =
  | { readonly type: 'create'; readonly file: string }
  | { readonly type: 'write'; readonly file: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: 'truncate'; readonly file: string; readonly length: number }
  | { readonly type: 'unlink'; readonly file: string }
  /** What was done to the file before a sync began is on disk when it ends, and may never be when it fails. */
  | {
      readonly type: 'sync begins' | 'sync ends' | 'sync fails'
      readonly file: string
      readonly thread: string
    }
  /** Something was said to the world: a write to the file of notes. */
  | { readonly type: 'note'; readonly text: string }

export interface TraceOptions {
  readonly command: readonly string[]
  readonly directory: string
  /** Name of the file of notes. */
  readonly notes: string
  readonly traceFile: string
  /** What strace shall let fail, as its option `inject` takes it. */
  readonly inject?: string
}

/** Runs the command under strace and returns its exit code; null if a signal ended it. Throws without strace. */
export function traceWrites(options: TraceOptions): number | null {
  const calls = 'trace=openat,pwrite64,pwritev,write,fdatasync,fsync,ftruncate,unlink,unlinkat,rename'
  const longest = String(4 * 1024 * 1024)
  const inject = options.inject === undefined ? [] : ['-e', `inject=${options.inject}`]
  const how = ['-f', '-yy', '-s', longest, '-e', calls, ...inject, '-o', options.traceFile]
  const command = [...how, ...options.command]
  const run = spawnSync('strace', command, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (run.error !== undefined) throw run.error
  return run.status
}

/** Throws on a call it does not know how to replay, so that nothing is left out unseen. */
export async function readTrace(options: Omit<TraceOptions, 'command'>): Promise<readonly FileEvent[]> {
  const reader = new TraceReader(options)
  for await (const line of createInterface({ input: createReadStream(options.traceFile, 'latin1') }))
    reader.read(line)
  return reader.events
}

class TraceReader {
  readonly events: FileEvent[] = []
  readonly #directory: string
  readonly #notes: string
  /** By thread: a change that the kernel is still at. */
  readonly #changing = new Map<string, FileEvent>()
  /** By thread: the file of a sync that runs. */
  readonly #syncing = new Map<string, string>()
  readonly #known = new Set<string>()

  constructor({ directory, notes }: Omit<TraceOptions, 'command'>) {
    this.#directory = directory
    this.#notes = notes
  }

  read(line: string): void {
    const thread = line.slice(0, line.indexOf(' '))
    if (/<\.\.\. f(data)?sync resumed>/.test(line)) {
      this.#endSync(thread, line)
      return
    }
    const resumed = this.#changing.get(thread)
    if (resumed !== undefined && /<\.\.\. (pwrite64|ftruncate) resumed>/.test(line)) {
      this.#changing.delete(thread)
      if (!line.includes(' = -1 ')) this.events.push(resumed)
      return
    }
    const call = /^\d+ +(\w+)\(/.exec(line)?.[1]
    if (call === undefined) return
    if (call === 'openat') this.#open(line)
    else if (call === 'unlink' || call === 'unlinkat') this.#unlink(line)
    else if (call === 'rename') this.#refuse(line)
    else this.#onFile(call, thread, line)
  }

  #open(line: string): void {
    const path = /openat\([^,]*, "([^"]*)", ([A-Z_|]+)/.exec(line)
    const file = this.#inside(path?.[1])
    if (file === null || path?.[2]?.includes('O_CREAT') !== true || / = -1 /.test(line)) return
    if (this.#known.has(file) || !isDatabase(file)) return
    this.#known.add(file)
    this.events.push({ type: 'create', file })
  }

  #unlink(line: string): void {
    const file = this.#inside(/"([^"]*)"/.exec(line)?.[1])
    if (file === null || / = -1 /.test(line) || !this.#known.delete(file)) return
    this.events.push({ type: 'unlink', file })
  }

  #onFile(call: string, thread: string, line: string): void {
    const path = /^\d+ +\w+\(\d+<([^>]*)>(\(deleted\))?/.exec(line)
    const file = this.#inside(path?.[1])
    if (file === null || path?.[2] !== undefined) return
    if (file === this.#notes) {
      if (call === 'write') this.events.push({ type: 'note', text: unescaped(line).toString() })
    } else if (!isDatabase(file)) return
    else if (call === 'fsync' || call === 'fdatasync') {
      this.events.push({ type: 'sync begins', file, thread })
      this.#syncing.set(thread, file)
      if (!line.includes('<unfinished')) this.#endSync(thread, line)
    } else if (call === 'ftruncate') {
      this.#change(thread, line, { type: 'truncate', file, length: Number(/>, (\d+)/.exec(line)?.[1]) })
    } else if (call === 'pwrite64') {
      const numbers = /", (\d+), (\d+)( <unfinished|\))/.exec(line.slice(line.lastIndexOf('", ')))
      const bytes = unescaped(line)
      if (numbers === null || Number(numbers[1]) !== bytes.length)
        throw new Error(`cannot read ${line.slice(0, 80)} … ${line.slice(-60)}: ${bytes.length} bytes`)
      this.#change(thread, line, { type: 'write', file, offset: Number(numbers[2]), bytes })
    } else this.#refuse(line)
  }

  #endSync(thread: string, line: string): void {
    const file = this.#syncing.get(thread)
    this.#syncing.delete(thread)
    if (file === undefined) return
    this.events.push({ type: /\) += 0$/.test(line) ? 'sync ends' : 'sync fails', file, thread })
  }

  /** Changes that fail change nothing; those that another thread interrupts count when they are done. */
  #change(thread: string, line: string, event: FileEvent): void {
    if (line.includes('<unfinished')) this.#changing.set(thread, event)
    else if (!/\) += -1 [^"]*$/.test(line)) this.events.push(event)
  }

  #inside(path: string | undefined): string | null {
    return path?.startsWith(`${this.#directory}/`) === true ? path.slice(this.#directory.length + 1) : null
  }

  #refuse(line: string): void {
    if (line.includes(`${this.#directory}/`))
      throw new Error(`a call that cannot be replayed: ${line.slice(0, 120)}`)
  }
}

/** Files whose state after a crash matters; the shared memory of SQLite is made anew by whoever opens first. */
function isDatabase(file: string): boolean {
  return /\.db(-wal|-journal)?$/.test(basename(file)) && !file.includes('/')
}

const named: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, '"': 34, '\\': 92 }

/** The first string of a line, as strace writes it: C escapes, octal for what is not printable. */
function unescaped(line: string): Buffer {
  const from = line.indexOf('"') + 1
  const to = line.lastIndexOf('"')
  const out = Buffer.allocUnsafe(to - from)
  let length = 0
  for (let at = from; at < to; at++) {
    let code = line.charCodeAt(at)
    if (code === 92) {
      const next = line[++at] ?? ''
      const known = named[next]
      if (known !== undefined) code = known
      else {
        let digits = 1
        while (digits < 3 && isOctal(line.charCodeAt(at + digits))) digits++
        code = Number.parseInt(line.slice(at, at + digits), 8)
        at += digits - 1
      }
    }
    out[length++] = code
  }
  return out.subarray(0, length)
}

function isOctal(code: number): boolean {
  return code >= 48 && code <= 55
}
