/** Brings the schema up to date, one version in one transaction: what is interrupted has not happened. */
import type { ClientBase } from 'pg'
import { StoreError } from '../../errors.ts'
import { readVersion, refuseNewer } from './database.ts'
import { type Migration, migrations, type Partitioning } from './schema.ts'

export interface MigrateOptions {
  readonly shown: string
  readonly migrate: boolean
  readonly partitioning: Partitioning
  /** Others than the real ones, for tests. */
  readonly steps?: readonly Migration[]
}

/**
 * Throws StoreError when the schema is newer, belongs to another program, is older and must not be changed, or
 * was made with other partitions. Only one process may do this at a time.
 */
export async function migrate(client: ClientBase, options: MigrateOptions): Promise<void> {
  const { shown, partitioning, steps = migrations } = options
  const found = await readVersion(client)
  if (options.steps === undefined) refuseNewer(found, shown)
  if (found === 0) await refuseForeign(client, shown)
  if (found < steps.length && !options.migrate)
    throw new StoreError(
      'older_database',
      `${shown} has schema version ${found} and this version needs ${steps.length}; set DB_AUTOMIGRATE=true to bring it up to date`,
    )
  if (found > 0) await checkPartitioning(client, shown, partitioning)
  for (let version = found; version < steps.length; version++) {
    const statements = steps[version]?.(partitioning) ?? []
    await client.query('BEGIN')
    try {
      for (const statement of statements) await client.query(statement)
      await client.query('UPDATE otelcontext.store SET version = $1', [version + 1])
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined)
      throw error
    }
  }
}

async function refuseForeign(client: ClientBase, shown: string): Promise<void> {
  const { rows } = await client.query<{ readonly name: string }>(
    `SELECT relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname = 'otelcontext' ORDER BY relname LIMIT 1`,
  )
  if (rows.length > 0)
    throw new StoreError(
      'foreign_database',
      `${shown} has a schema otelcontext that another program made; set DB_DSN to a database of its own`,
    )
}

async function checkPartitioning(client: ClientBase, shown: string, wanted: Partitioning): Promise<void> {
  const { rows } = await client.query<{ readonly partitioning: string }>(
    'SELECT partitioning FROM otelcontext.store',
  )
  const found = rows[0]?.partitioning ?? ''
  if (found === wanted) return
  throw new StoreError(
    'other_partitioning',
    found === 'daily'
      ? `${shown} was made with daily partitions; set DB_POSTGRES_PARTITIONING=daily, or DB_DSN to an empty database`
      : `${shown} was made without partitions, which cannot be added later; unset DB_POSTGRES_PARTITIONING, or set DB_DSN to an empty database`,
  )
}
