import { afterAll } from 'vitest'
import { makeDatabase, type TestDatabase } from '../store/postgres/test-database.ts'
import { describeRoundTrip } from './round-trip.ts'

let database: TestDatabase

describeRoundTrip('Postgres', async () => {
  database = await makeDatabase()
  return { DB_DRIVER: 'postgres', DB_DSN: database.location.dsn, DB_POSTGRES_PARTITIONING: 'daily' }
})

afterAll(() => database.drop())
