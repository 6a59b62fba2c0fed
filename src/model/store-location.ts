/** Where a store is and how it is reached; plain data, so that it can be handed to another thread. */
export type StoreLocation = SqliteLocation | PostgresLocation

export interface SqliteLocation {
  readonly driver: 'sqlite'
  /** Absolute path. */
  readonly file: string
  /** Whether an older schema is brought up to date; refused otherwise. Default true. */
  readonly migrate?: boolean
}

export interface PostgresLocation {
  readonly driver: 'postgres'
  /** URL, or `key=value` pairs as libpq takes them. Holds a password: never shown, never logged. */
  readonly dsn: string
  /** Whether an older schema, or none, is brought up to date; refused otherwise. */
  readonly migrate: boolean
  /** `daily`: segment bytes lie in a partition per signal and day of receipt. */
  readonly partitioning: '' | 'daily'
  /** Days for which partitions are made in advance. */
  readonly lookaheadDays: number
  /** Connections of the whole process. */
  readonly maxConnections: number
  /** Connections of one reader; the writer has one. */
  readonly readConnections: number
  /** A connection is replaced when it is older; 0: never. */
  readonly connectionLifetimeMs: number
}
