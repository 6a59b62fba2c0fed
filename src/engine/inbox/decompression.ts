/**
 * Bodies to bytes, never more of them than allowed.
 *
 * Small bodies are inflated on the spot: measured, `gunzipSync` in a worker does four times the work of its
 * asynchronous form. What may become large goes to the thread pool, so that a bomb, which costs tenths of a
 * second before its size shows, holds up nobody else; and only while the budget of the process lasts.
 */
import { promisify } from 'node:util'
import { gunzip, gunzipSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { InvalidInputError, OverloadedError } from '../../errors.ts'
import type { Compression } from '../../model/ingest.ts'

/** Output inflated on the spot at most: two milliseconds of work. */
const directBytes = 2 * 1024 * 1024

/** Requests that may wait for the budget; each answer must leave within half a second. */
const maxWaiting = 16

const gunzipLater = promisify(gunzip)
const zstdLater = promisify(zstdDecompress)

/** One inflation whose size is decided by the sender. Throws InvalidInputError `too_large` or `bad_compression`. */
export function inflateNow(body: Uint8Array, compression: Compression, maxBytes: number): Uint8Array | null {
  if (compression === 'none') {
    if (body.length > maxBytes) throw tooLarge(maxBytes)
    return body
  }
  const claimed = claimedBytes(body, compression)
  // The claim is a remainder of 2^32 and of the last member only, so it can prove too much, never enough.
  if (claimed > maxBytes) throw tooLarge(maxBytes)
  if (claimed > directBytes || body.length > directBytes / 8) return null
  const limit = Math.min(maxBytes, directBytes)
  try {
    const options = { maxOutputLength: limit, chunkSize: Math.max(1_024, Math.min(claimed + 64, limit)) }
    return plain(compression === 'gzip' ? gunzipSync(body, options) : zstdDecompressSync(body, options))
  } catch (error) {
    if (!isOverflow(error)) throw badCompression(error, compression)
    if (maxBytes <= directBytes) throw tooLarge(maxBytes)
    return null
  }
}

/** Decoders get no Buffer, whose `slice` is no copy, and for which their loops would be compiled once more. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Inflates what has been inflated before, when it was accepted; `rawBytes` is what came out then. */
export function inflateAgain(body: Uint8Array, compression: Compression, rawBytes: number): Uint8Array {
  if (compression === 'none') return plain(body)
  const options = { maxOutputLength: Math.max(1, rawBytes), chunkSize: Math.max(1_024, rawBytes + 64) }
  try {
    return plain(compression === 'gzip' ? gunzipSync(body, options) : zstdDecompressSync(body, options))
  } catch (error) {
    throw isOverflow(error) ? tooLarge(rawBytes) : badCompression(error, compression)
  }
}

/** Bounds the decompressed bytes of all requests in work together. */
export class DecompressionBudget {
  readonly #totalBytes: number
  #usedBytes = 0
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = []

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Whether so many bytes would fit beside what is in work. */
  fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.#totalBytes
  }

  /** Takes bytes that exist already, even above the budget: they are about to be committed and given back. */
  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes
    while (this.#waiting[0] !== undefined && this.fits(this.#waiting[0].bytes)) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#usedBytes += next.bytes
      next.start()
    }
  }

  /**
   * Inflates on the thread pool once `maxBytes` of the budget are free, and keeps what the result really
   * takes; the caller gives that back. Rejects with InvalidInputError as `inflateNow`, or OverloadedError
   * `queue_full` when too many wait already.
   */
  async inflate(body: Uint8Array, compression: Compression, maxBytes: number): Promise<Uint8Array> {
    const reserved = Math.min(maxBytes, this.#totalBytes)
    await this.#reserve(reserved)
    let kept = 0
    try {
      const options = { maxOutputLength: reserved }
      const bytes = await (compression === 'gzip' ? gunzipLater(body, options) : zstdLater(body, options))
      kept = bytes.length
      return plain(bytes)
    } catch (error) {
      throw isOverflow(error) ? tooLarge(reserved) : badCompression(error, compression)
    } finally {
      this.giveBack(reserved - kept)
    }
  }

  #reserve(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.fits(bytes)) {
      this.#usedBytes += bytes
      return Promise.resolve()
    }
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(
        new OverloadedError('queue_full', `${maxWaiting} large compressed requests are waiting already`, {
          retryAfterMs: 1_000,
        }),
      )
    }
    return new Promise(start => this.#waiting.push({ bytes, start }))
  }
}

/** Size after inflation as the body itself claims it; 0 if it does not say. */
function claimedBytes(body: Uint8Array, compression: Compression): number {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  if (compression === 'gzip') return body.length < 18 ? 0 : view.getUint32(body.length - 4, true)
  return zstdContentBytes(view)
}

/** Frame_Content_Size of the first frame; RFC 8878, section 3.1.1.1. */
function zstdContentBytes(view: DataView): number {
  if (view.byteLength < 14 || view.getUint32(0, true) !== 0xfd2fb528) return 0
  const descriptor = view.getUint8(4)
  const single = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const at = 5 + (single ? 0 : 1) + dictionaryBytes
  switch (descriptor >> 6) {
    case 0:
      return single && at < view.byteLength ? view.getUint8(at) : 0
    case 1:
      return at + 2 <= view.byteLength ? view.getUint16(at, true) + 256 : 0
    case 2:
      return at + 4 <= view.byteLength ? view.getUint32(at, true) : 0
    default:
      return at + 8 <= view.byteLength ? Number(view.getBigUint64(at, true)) : 0
  }
}

function isOverflow(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}

function tooLarge(maxBytes: number): InvalidInputError {
  return new InvalidInputError(
    'too_large',
    `the request is larger than ${maxBytes} bytes; send smaller batches`,
  )
}

function badCompression(error: unknown, compression: Compression): InvalidInputError {
  const detail = error instanceof Error ? error.message : String(error)
  return new InvalidInputError('bad_compression', `the body is not valid ${compression}: ${detail}`, {
    cause: error,
  })
}
