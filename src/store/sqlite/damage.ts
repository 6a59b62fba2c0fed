/** Reading around damaged pages: what lies on others is still found. */
import type Database from 'better-sqlite3'

/** Codes by which SQLite says that a page or the file is not what it should be. */
const damageCodes = ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_IOERR']

export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const code = String(error.code)
  return damageCodes.some(prefix => code.startsWith(prefix))
}

/** Statements spent on reading around damage; each is short, and a file damaged all over is given up sooner. */
const maxAttempts = 20_000

/**
 * The rows of a table by its integer key, in order, `[from, to]`. Where a statement meets damage its range is
 * halved until the keys that cannot be read are alone; returns how many stretches those are. `each` is called
 * for every row that can be read; the statement takes the two keys.
 */
export function readAround<R>(
  statement: Database.Statement<[number, number], R>,
  from: number,
  to: number,
  each: (row: R) => void,
): number {
  let attempts = 0
  let lost = 0
  const read = (low: number, high: number): void => {
    let rows: readonly R[]
    try {
      rows = statement.all(low, high)
    } catch (error) {
      if (!isDamage(error)) throw error
      if (low >= high || ++attempts > maxAttempts) {
        lost++
        return
      }
      const middle = Math.floor((low + high) / 2)
      read(low, middle)
      read(middle + 1, high)
      return
    }
    for (const row of rows) each(row)
  }
  if (from <= to) read(from, to)
  return lost
}
