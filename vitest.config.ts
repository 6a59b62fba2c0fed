import { defineConfig } from 'vitest/config'

/** Tests that need a real Postgres; the server is started once, and only if one of them runs. */
const onPostgres = ['test/**/*postgres*.test.ts']

const configuration: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'embedded', include: ['test/**/*.test.ts'], exclude: onPostgres },
      },
      {
        extends: true,
        test: { name: 'postgres', include: onPostgres, globalSetup: ['test/store/postgres/global-setup.ts'] },
      },
    ],
  },
})
export default configuration
