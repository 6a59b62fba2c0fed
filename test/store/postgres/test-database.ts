/** An empty database of its own on the server of this test run. */
import { inject } from 'vitest'
import { dsnOf, locationOf, type Row, runSql } from '../../../scripts/postgres-server.ts'
import type { PostgresLocation } from '../../../src/model/store-location.ts'

let made = 0
/** Emptied and free again: making and dropping a database writes all of the server's memory to disk. */
const free: string[] = []

export interface TestDatabase {
  readonly location: PostgresLocation
  readonly name: string
  run(sql: string): Promise<readonly Row[]>
  /** Gives it back; nothing may be connected to it any more. */
  drop(): Promise<void>
}

export async function makeDatabase(options: Partial<PostgresLocation> = {}): Promise<TestDatabase> {
  const port = inject('postgresPort')
  const name = free.pop() ?? (await createDatabase(port))
  return {
    name,
    location: locationOf(dsnOf(port, name), options),
    run: sql => runSql(port, sql, name),
    async drop() {
      await runSql(port, 'DROP SCHEMA IF EXISTS otelcontext CASCADE', name)
      free.push(name)
    },
  }
}

async function createDatabase(port: number): Promise<string> {
  const name = `test_${process.pid}_${++made}`
  await runSql(port, `CREATE DATABASE ${name} TEMPLATE template0`, 'postgres')
  return name
}
