/** Opens the store that a location names; the only place that knows there are two. */
import type { StoreReader, StoreWriter } from '../model/store.ts'
import type { StoreLocation } from '../model/store-location.ts'

/** What messages call it; without secrets. Rejects with StoreError `bad_dsn`. */
export async function nameStore(location: StoreLocation): Promise<string> {
  if (location.driver === 'sqlite') return location.file
  const { parseDsn } = await import('./postgres/dsn.ts')
  return parseDsn(location.dsn).shown
}

/** The file of a store that lives in this process; null for a server. */
export function embeddedFile(location: StoreLocation): string | null {
  return location.driver === 'sqlite' ? location.file : null
}

/** Opens or makes the store. Rejects with StoreError, one sentence with the remedy. */
export async function openStoreWriter(location: StoreLocation): Promise<StoreWriter> {
  // Imported when wanted: each driver costs memory and start-up time of every thread that loads it.
  if (location.driver === 'sqlite')
    return (await import('./sqlite/store-writer.ts')).openSqliteWriter(location.file, {
      migrate: location.migrate ?? true,
    })
  return (await import('./postgres/store-writer.ts')).openPostgresWriter(location)
}

/** The store must have been made by a writer before the first snapshot. */
export async function openStoreReader(location: StoreLocation): Promise<StoreReader> {
  if (location.driver === 'sqlite')
    return (await import('./sqlite/store-reader.ts')).openSqliteReader(location.file)
  return (await import('./postgres/store-reader.ts')).openPostgresReader(location)
}

/** Whether opening or asking again later, with the same settings, may succeed. */
export async function faultPasses(location: StoreLocation, error: unknown): Promise<boolean> {
  if (location.driver === 'sqlite') return false
  return (await import('./postgres/explain.ts')).passes(error)
}
