/**
 * A file that only takes up space. Deleting from a database needs space first, for its log; on a disk that is
 * full there is none, unless something can be let go at once.
 */
import { randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'

/** A retention step writes a few hundred kilobytes of log; this is enough for a hundred of them. */
export const defaultBallastBytes: number = 64 * 1024 * 1024
/** On small disks at most this share of them. */
const ballastShare = 0.02
/** Written when at least so many times its size is free besides. */
const roomFactor = 4
/** Written in pieces of this size, so that the engine's thread goes on in between. */
const pieceBytes = 1024 * 1024

export class Ballast {
  readonly #file: string
  readonly #maxBytes: number

  /** `file` need not exist; it belongs on the file system of the database. */
  constructor(file: string, maxBytes: number) {
    this.#file = file
    this.#maxBytes = maxBytes
  }

  /** Bytes it takes up now. */
  get bytes(): number {
    try {
      return statSync(this.#file).size
    } catch {
      return 0
    }
  }

  /** Frees its bytes; false if there was nothing to free. */
  release(): boolean {
    if (this.bytes === 0) return false
    rmSync(this.#file, { force: true })
    return true
  }

  /** Makes the file if it is missing and there is ample room; `rest` is waited for between pieces. */
  async ensure(directory: string, rest: () => Promise<void>): Promise<void> {
    if (this.bytes > 0) return
    const { bavail, blocks, bsize } = statfsSync(directory)
    const size = Math.floor(Math.min(this.#maxBytes, blocks * bsize * ballastShare))
    if (size === 0 || bavail * bsize < size * roomFactor) return
    const aside = `${this.#file}.new`
    const file = openSync(aside, 'w', 0o600)
    try {
      // Noise, because some file systems store zeros without taking space.
      const piece = randomFillSync(new Uint8Array(Math.min(pieceBytes, size)))
      for (let written = 0; written < size; ) {
        written += writeSync(file, piece, 0, Math.min(piece.length, size - written))
        await rest()
      }
      fsyncSync(file)
    } catch (error) {
      rmSync(aside, { force: true })
      throw error
    } finally {
      closeSync(file)
    }
    renameSync(aside, this.#file)
  }
}
