/** Statements that a connection runs again and again: preparing one costs more than running it. */
import type Database from 'better-sqlite3'

const byConnection = new WeakMap<Database.Database, Map<string, unknown>>()

/** `sql` must be one of a few texts of our own: what is prepared stays until its connection is gone. */
export function prepared<P extends unknown[], R>(
  db: Database.Database,
  sql: string,
): Database.Statement<P, R> {
  let known = byConnection.get(db)
  if (known === undefined) {
    known = new Map()
    byConnection.set(db, known)
  }
  const statement = (known.get(sql) as Database.Statement<P, R> | undefined) ?? db.prepare<P, R>(sql)
  known.set(sql, statement)
  return statement
}
