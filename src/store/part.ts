/**
 * The envelope of everything stored as bytes: one byte of format version, the content, CRC-32C of both in
 * the last four bytes, little-endian.
 */
import { StoreError } from '../errors.ts'
import { crc32c } from '../model/crc32c.ts'
import { ByteWriter } from './segment/bytes.ts'
import { corruptSegment } from './segment/corrupt.ts'

/** Version of what this process writes. */
export const formatVersion = 4
/** The oldest it reads; 1 was never released. */
const oldestVersion = 2

/** Every part is gathered here first: it grows to the largest one, and parts are copied at their size. */
const scratch = new ByteWriter(1 << 20)

/** Seals content gathered by `write`, which appends to the writer it is given and must not seal another part. */
export function sealPart(write: (out: ByteWriter) => void): Uint8Array {
  const out = scratch
  out.length = 0
  out.u8(formatVersion)
  write(out)
  out.u32(crc32c(out.bytes, 0, out.length))
  return out.done()
}

/** Throws StoreError `corrupt_segment` unless the checksum fits, `newer_format` or `old_format` for another version. */
export function checkPart(bytes: Uint8Array): void {
  const end = bytes.length - 4
  if (end < 1) throw corruptSegment('a part is shorter than its envelope')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(end, true) !== crc32c(bytes, 0, end)) throw corruptSegment('a checksum does not fit')
  const version = bytes[0] ?? 0
  if (version < oldestVersion)
    throw new StoreError(
      'old_format',
      `segment format ${version} was in use before the first release; start with an empty store`,
    )
  if (version > formatVersion)
    throw new StoreError(
      'newer_format',
      `segment format ${version} is newer than ${formatVersion}, the newest this version reads; install the newer version`,
    )
}

/** The content of a part that `checkPart` has passed, a view. */
export function partContent(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(1, bytes.length - 4)
}

/** Format of a part that `checkPart` has passed. */
export function partVersion(bytes: Uint8Array): number {
  return bytes[0] as number
}
