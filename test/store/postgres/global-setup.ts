/** One Postgres server for all tests that only need databases of their own on it. */
import type { TestProject } from 'vitest/node'
import { startPostgres } from '../../../scripts/postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgresPort: number
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres()
  project.provide('postgresPort', server.port)
  return () => server.remove()
}
