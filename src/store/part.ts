/**
 * The envelope of everything stored as bytes: one byte of format version, the content, CRC-32C of both in
 * the last four bytes, little-endian.
 */
import { StoreError } from '../errors.ts'
import { crc32c } from './crc32c.ts'
import { ByteWriter } from './segment/bytes.ts'
import { corruptSegment } from './segment/corrupt.ts'

/** Version of what this process writes; it reads this one and older ones. */
export const formatVersion = 1

/** Seals content gathered by `write`, which appends to the writer it is given. */
export function sealPart(write: (out: ByteWriter) => void, capacity = 4096): Uint8Array {
  const out = new ByteWriter(capacity)
  out.u8(formatVersion)
  write(out)
  out.u32(crc32c(out.bytes, 0, out.length))
  return out.done()
}

/** Throws StoreError `corrupt_segment` unless the checksum fits, `newer_format` for a version of the future. */
export function checkPart(bytes: Uint8Array): void {
  const end = bytes.length - 4
  if (end < 1) throw corruptSegment('a part is shorter than its envelope')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(end, true) !== crc32c(bytes, 0, end)) throw corruptSegment('a checksum does not fit')
  const version = bytes[0] ?? 0
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
