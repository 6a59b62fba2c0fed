/** Rows for one statement: what goes over the network in one piece, so that many rows do not cost as many trips. */

/** Bytes of values in one statement: the driver keeps a buffer of the largest for good. */
const maxBytes = 2 * 1024 * 1024
/** Rows of one statement; a statement takes 65,535 parameters. */
const maxRows = 100

/** At least one row each, in the order given. */
export function batchesOf<T>(rows: readonly T[], bytesOf: (row: T) => number): readonly (readonly T[])[] {
  const batches: T[][] = []
  let batch: T[] = []
  let bytes = 0
  for (const row of rows) {
    const size = bytesOf(row)
    if (batch.length === maxRows || (batch.length > 0 && bytes + size > maxBytes)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(row)
    bytes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** `($1, $2), ($3, $4)` for so many rows of so many columns. */
export function valuesList(rows: number, columns: number): string {
  return Array.from({ length: rows }, (_, row) => {
    const places = Array.from({ length: columns }, (_, column) => `$${row * columns + column + 1}`)
    return `(${places.join(', ')})`
  }).join(', ')
}
