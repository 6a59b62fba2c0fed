/**
 * Checksums of rows whose columns are not bytes with a checksum of their own: SQLite notices a damaged page
 * only where its structure stops making sense, and a flipped bit in a text or a time makes sense.
 */
import { crc32c } from '../../model/crc32c.ts'

/** CRC-32C of the values as JSON; the order of columns is part of it. */
export function rowChecksum(values: readonly unknown[]): number {
  return crc32c(Buffer.from(JSON.stringify(values), 'utf8'))
}

/** Whether `crc`, the last column of the statement, is that of the columns before it. */
export function isSound(row: object): boolean {
  const values: unknown[] = Object.values(row)
  return values.pop() === rowChecksum(values)
}
