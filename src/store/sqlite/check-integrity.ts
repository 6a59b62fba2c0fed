/** SQLite's own look at the structure of a file: pages, trees, indexes. Takes as long as the file is large. */
import Database from 'better-sqlite3'

/** Problems listed at most. */
const maxProblems = 100

/** What is wrong with the structure, a line each; empty if nothing is. Never throws. */
export function checkIntegrity(file: string): readonly string[] {
  let db: Database.Database | null = null
  try {
    db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
    const lines = db
      .prepare<[], string>(`PRAGMA integrity_check(${maxProblems})`)
      .pluck()
      .all()
      .flatMap(text => text.split('\n'))
    return lines.filter(line => line !== 'ok' && line.trim() !== '')
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  } finally {
    db?.close()
  }
}
