/**
 * CRC32C (Castagnoli), the checksum of every inbox row: polynomial 0x1EDC6F41, reflected, as in RFC 3720
 * appendix B.4. Slicing by sixteen runs at about four times the speed of one table, and every request body passes
 * through it on the way to the disk.
 */
const slices = 16
const tables: Uint32Array = buildTables()

function buildTables(): Uint32Array {
  const built = new Uint32Array(slices * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    built[byte] = crc >>> 0
  }
  for (let slice = 1; slice < slices; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const previous = built[(slice - 1) * 256 + byte] ?? 0
      built[slice * 256 + byte] = (previous >>> 8) ^ (built[previous & 255] ?? 0)
    }
  }
  return built
}

/** Checksum of `bytes`, unsigned; pass the last result as `before` to continue over several pieces. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const t = tables
  let crc = ~before
  let i = 0
  // Written out: closures over the table and the bytes cost two fifths of the speed.
  for (const end = bytes.length - 15; i < end; i += 16) {
    crc ^=
      (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24)
    crc =
      (t[3840 + (crc & 255)] ?? 0) ^
      (t[3584 + ((crc >>> 8) & 255)] ?? 0) ^
      (t[3328 + ((crc >>> 16) & 255)] ?? 0) ^
      (t[3072 + (crc >>> 24)] ?? 0) ^
      (t[2816 + (bytes[i + 4] ?? 0)] ?? 0) ^
      (t[2560 + (bytes[i + 5] ?? 0)] ?? 0) ^
      (t[2304 + (bytes[i + 6] ?? 0)] ?? 0) ^
      (t[2048 + (bytes[i + 7] ?? 0)] ?? 0) ^
      (t[1792 + (bytes[i + 8] ?? 0)] ?? 0) ^
      (t[1536 + (bytes[i + 9] ?? 0)] ?? 0) ^
      (t[1280 + (bytes[i + 10] ?? 0)] ?? 0) ^
      (t[1024 + (bytes[i + 11] ?? 0)] ?? 0) ^
      (t[768 + (bytes[i + 12] ?? 0)] ?? 0) ^
      (t[512 + (bytes[i + 13] ?? 0)] ?? 0) ^
      (t[256 + (bytes[i + 14] ?? 0)] ?? 0) ^
      (t[bytes[i + 15] ?? 0] ?? 0)
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0)
  return ~crc >>> 0
}
