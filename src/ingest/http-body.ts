/** Reads the body of an HTTP request within its own limit and the budget of the process. */
import type { IncomingMessage } from 'node:http'
import type { ReceiveBudget } from './receive-budget.ts'

export type ReceivedBody =
  /** The pieces as they arrived. */
  | { readonly outcome: 'complete'; readonly body: readonly Uint8Array[]; readonly bytes: number }
  | { readonly outcome: 'too_large' | 'busy' | 'aborted' }

export interface BodyLimits {
  readonly maxBytes: number
  readonly budget: ReceiveBudget
}

/**
 * The body, or why there is none. What arrived so far is let go of at once; the rest
 * of a refused body is the caller's to discard. Never rejects.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<ReceivedBody> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > limits.maxBytes) return Promise.resolve({ outcome: 'too_large' })
  return new Promise(resolve => {
    let chunks: Uint8Array[] = []
    let total = 0
    const finish = (result: ReceivedBody): void => {
      lease.release()
      chunks = []
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      resolve(result)
    }
    const lease = limits.budget.open(() => finish({ outcome: 'busy' }))
    const onData = (chunk: Uint8Array): void => {
      total += chunk.length
      chunks.push(chunk)
      if (total > limits.maxBytes) finish({ outcome: 'too_large' })
      else lease.add(chunk.length)
    }
    const onEnd = (): void => finish({ outcome: 'complete', body: chunks, bytes: total })
    const onClose = (): void => finish({ outcome: 'aborted' })
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', ignore)
  })
}

/** An aborted request reports an error and then closes; the close is what counts. */
function ignore(): void {}

/**
 * Lets the rest of a refused body run past unread, so that the client reads the answer instead of a reset;
 * gives up on one that goes on for more than `maxBytes`.
 */
export function discardRest(request: IncomingMessage, maxBytes: number): void {
  if (request.complete) return
  let discarded = 0
  request.on('error', ignore)
  request.on('data', (chunk: Uint8Array) => {
    discarded += chunk.length
    if (discarded > maxBytes) request.destroy()
  })
  request.resume()
}
