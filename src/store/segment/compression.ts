/** zstd level 1: within 3 % of level 3 on small frames, at twice its speed. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { corruptSegment } from './corrupt.ts'

const params = { [constants.ZSTD_c_compressionLevel]: 1 }

/** No section of a segment is larger; a length beyond it is damage, not data. */
const maxSectionBytes = 1 << 30

/** Raw size, stored size, bytes; kept as they are where compression does not pay. */
export function writeCompressed(out: ByteWriter, content: Uint8Array): void {
  // One output buffer that surely holds it: the default gathers pieces of 16 kB and joins them.
  const chunkSize = content.length + 512
  const packed = content.length < 32 ? content : zstdCompressSync(content, { params, chunkSize })
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
    // As above; and room for a little more, or a second piece would be made to see that nothing comes.
    const options = { maxOutputLength: Math.max(1, rawSize), chunkSize: rawSize + 64 }
    const content = zstdDecompressSync(stored, options)
    if (content.length !== rawSize) throw corruptSegment('a section has the wrong size')
    return content
  } catch (error) {
    throw corruptSegment('a section does not decompress', error)
  }
}
