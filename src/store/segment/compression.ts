/** Sections of segments as zstd frames, where that makes them smaller. */
import { packFrame, unpackFrame } from '../../model/zstd-context.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'

/** No section of a segment is larger; a length beyond it is damage, not data. */
const maxSectionBytes = 1 << 30

/** Raw size, stored size, bytes; kept as they are where compression does not pay. */
export function writeCompressed(out: ByteWriter, content: Uint8Array): void {
  const packed = content.length < 32 ? content : packFrame(content)
  const smaller = packed.length < content.length ? packed : content
  out.varint(content.length)
  out.varint(smaller.length)
  out.raw(smaller)
}

export function readCompressed(from: ByteReader): Uint8Array {
  const rawSize = from.varint()
  const stored = from.block()
  if (stored.length === rawSize) return stored
  if (rawSize > maxSectionBytes) throw corruptSegment('a section is too large')
  try {
    const content = unpackFrame(stored, rawSize)
    if (content.length !== rawSize) throw corruptSegment('a section has the wrong size')
    return content
  } catch (error) {
    throw corruptSegment('a section does not decompress', error)
  }
}
