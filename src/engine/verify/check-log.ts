/**
 * A write-ahead log of SQLite, frame by frame, without SQLite: what lies behind a damaged frame is ignored when
 * the log is read, in silence. https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
import { closeSync, openSync, readSync } from 'node:fs'

export interface LogFigures {
  /** Frames up to the last commit that SQLite will read. */
  readonly valid: number
  /** Frames of the same log behind the first one that is damaged. */
  readonly lost: number
}

const headerBytes = 32
const frameHeaderBytes = 24
const littleEndianMagic = 0x377f0682

/** Null if there is no log, or none that was begun. */
export function checkLog(file: string): LogFigures | null {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch {
    return null
  }
  try {
    return readFrames(handle)
  } finally {
    closeSync(handle)
  }
}

function readFrames(handle: number): LogFigures | null {
  const header = Buffer.alloc(headerBytes)
  if (readSync(handle, header, 0, headerBytes, 0) < headerBytes) return null
  const magic = header.readUInt32BE(0)
  if ((magic & ~1) >>> 0 !== littleEndianMagic) return { valid: 0, lost: 1 }
  const little = (magic & 1) === 0
  const pageBytes = header.readUInt32BE(8)
  if (pageBytes < 512 || pageBytes > 65_536) return { valid: 0, lost: 1 }
  const first = checksum(header.subarray(0, 24), little, [0, 0])
  if (first[0] !== header.readUInt32BE(24) || first[1] !== header.readUInt32BE(28))
    return { valid: 0, lost: 1 }
  const salts = header.subarray(16, 24)
  const frame = Buffer.alloc(frameHeaderBytes + pageBytes)
  let running = first
  let intact = true
  let read = 0
  let valid = 0
  let lost = 0
  for (
    let at = headerBytes;
    readSync(handle, frame, 0, frame.length, at) === frame.length;
    at += frame.length
  ) {
    // Frames of an older round of the log have other salts and are no loss.
    if (!frame.subarray(8, 16).equals(salts)) {
      if (!intact) continue
      // A flipped salt is damage if frames of this round follow; that is found out by going on.
      intact = false
      continue
    }
    if (intact) {
      running = checksum(
        frame.subarray(frameHeaderBytes),
        little,
        checksum(frame.subarray(0, 8), little, running),
      )
      intact = running[0] === frame.readUInt32BE(16) && running[1] === frame.readUInt32BE(20)
    }
    if (!intact) {
      lost++
      continue
    }
    read++
    // The size of the database in a frame's header marks the last frame of a commit.
    if (frame.readUInt32BE(4) !== 0) valid = read
  }
  return { valid, lost }
}

/** The running checksum over pairs of 32-bit words, in the byte order of the log. */
function checksum(bytes: Buffer, little: boolean, start: readonly [number, number]): [number, number] {
  let [a, b] = start
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const x = little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    const y = little ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)
    a = (a + x + b) >>> 0
    b = (b + y + a) >>> 0
  }
  return [a, b]
}
