/**
 * Long JSON requests on a thread of their own. JSON costs 6 ms a megabyte where it is as senders write it, 12 with
 * fields nobody knows and 58 with numbers of more digits than a double has: 64 MB of that would hold every other
 * sender up for four seconds. One at a time, few waiting, and a request that exhausts the thread's memory ends the
 * thread and not the inbox.
 */
import { Worker } from 'node:worker_threads'
import { InvalidInputError, OverloadedError } from '../../errors.ts'
import type { Signal } from '../../model/telemetry.ts'
import { workerEntry } from '../worker-entry.ts'

/** JSON of more bytes goes to the thread: at worst, this much takes 120 ms in place. */
export const longJsonBytes: number = 2 * 1024 * 1024

/** Requests in work or waiting; each holds its bytes twice. */
const maxWaiting = 4
/** Objects of 64 MB of JSON take about six times that. */
const maxHeapMb = 512
/** A thread that nobody has needed for so long is let go with its memory. */
const idleMs = 30_000

export interface TranscodeRequest {
  readonly signal: Signal
  readonly bytes: Uint8Array
}

export type TranscodeReply = { readonly protobuf: Uint8Array } | { readonly refusal: string }

interface Waiting {
  resolve(reply: TranscodeReply): void
  reject(error: Error): void
}

export class JsonThread {
  #worker: Worker | null = null
  /** In the order in which they were sent, which is that of the replies. */
  readonly #waiting: Waiting[] = []
  #idle: NodeJS.Timeout | undefined

  /** As `transcodeJson`. Rejects with InvalidInputError `decode_error`, or OverloadedError when too many wait. */
  async transcode(signal: Signal, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#waiting.length >= maxWaiting) {
      throw new OverloadedError('queue_full', `${maxWaiting} long JSON requests are in work already`, {
        retryAfterMs: 1_000,
      })
    }
    clearTimeout(this.#idle)
    const worker = this.#worker ?? this.#start()
    const reply = await new Promise<TranscodeReply>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      // A copy, which a Buffer's slice() is not: the bytes as received are still to be stored.
      const copy = new Uint8Array(bytes)
      worker.postMessage({ signal, bytes: copy } satisfies TranscodeRequest, [copy.buffer])
    })
    if ('refusal' in reply) throw new InvalidInputError('decode_error', reply.refusal)
    return reply.protobuf
  }

  /** Requests in work are to be sent again. A later one starts a new thread. */
  close(): void {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = null
    void worker?.terminate()
    const error = new OverloadedError('queue_full', 'the inbox is being closed', { retryAfterMs: 1_000 })
    for (const one of this.#waiting.splice(0)) one.reject(error)
  }

  #start(): Worker {
    const worker = new Worker(workerEntry('transcode-worker', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    })
    worker.unref()
    worker.on('message', (reply: TranscodeReply) => {
      this.#waiting.shift()?.resolve(reply)
      if (this.#waiting.length > 0) return
      this.#idle = setTimeout(() => this.close(), idleMs)
      this.#idle.unref()
    })
    // Out of memory, mostly; `exit` follows.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      // Let go on purpose; another one may be at work by now.
      if (this.#worker !== worker) return
      this.#worker = null
      const [first, ...others] = this.#waiting.splice(0)
      first?.reject(
        new InvalidInputError(
          'decode_error',
          'the JSON takes too much memory; send smaller batches or protobuf',
        ),
      )
      for (const one of others)
        one.reject(
          new OverloadedError('queue_full', 'the thread for long JSON was replaced', { retryAfterMs: 1_000 }),
        )
    })
    this.#worker = worker
    return worker
  }
}
