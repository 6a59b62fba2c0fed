/**
 * Entries that cannot be processed, one file each: a line of JSON about the entry, then the request bytes as
 * received. Nothing is ever evicted; when the directory is full, rows stay in the inbox instead.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { signals } from '../../model/telemetry.ts'
import type { StoredRow } from '../inbox/inbox-row.ts'

export interface DeadLetterOptions {
  readonly directory: string
  readonly maxFiles: number
  readonly maxBytes: number
}

export interface DeadLetterFigures {
  readonly files: number
  readonly bytes: number
}

const suffix = '.dead'

export interface DeadLetterBox {
  figures(): DeadLetterFigures
  /**
   * Returns once the entry is in a file that survives a crash, or false if there is no room. Writing the same entry
   * again replaces its file.
   */
  write(inboxId: string, row: StoredRow, reason: string, diedMs: number): boolean
}

export class DeadLetters implements DeadLetterBox {
  readonly #options: DeadLetterOptions
  #files = 0
  #bytes = 0

  /** Makes the directory (mode 0700) and counts what is there. */
  constructor(options: DeadLetterOptions) {
    this.#options = options
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(options.directory)) {
      if (!name.endsWith(suffix)) continue
      this.#files++
      this.#bytes += statSync(join(options.directory, name)).size
    }
  }

  figures(): DeadLetterFigures {
    return { files: this.#files, bytes: this.#bytes }
  }

  write(inboxId: string, row: StoredRow, reason: string, diedMs: number): boolean {
    const header = Buffer.from(
      `${JSON.stringify({
        version: 1,
        inboxId,
        position: row.position,
        tenant: row.tenant,
        signal: signals[row.signal] ?? row.signal,
        receivedMs: row.received_ms,
        encoding: row.encoding === 1 ? 'json' : 'protobuf',
        compression: ['none', 'gzip', 'zstd'][row.compression] ?? row.compression,
        items: row.items,
        refusals: row.refusals,
        checksum: row.crc,
        reason,
        diedMs,
      })}\n`,
    )
    const bytes = header.length + row.body.length
    const { directory, maxFiles, maxBytes } = this.#options
    if (this.#files >= maxFiles || this.#bytes + bytes > maxBytes) return false
    // No part of a name comes from what was sent.
    const file = join(directory, `${inboxId.slice(0, 8)}-${row.position}${suffix}`)
    writeSynced(`${file}.new`, [header, row.body])
    renameSync(`${file}.new`, file)
    syncDirectory(directory)
    this.#files++
    this.#bytes += bytes
    return true
  }
}

function writeSynced(file: string, parts: readonly Uint8Array[]): void {
  const handle = openSync(file, 'w', 0o600)
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) at += writeSync(handle, part, at)
    }
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Makes the rename itself durable. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
