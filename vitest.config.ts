import { defineConfig } from 'vitest/config'

/** Tests that need a real Postgres; the server is started once, and only if one of them runs. */
const onPostgres = ['test/**/*postgres*.test.ts']

const configuration: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    // Against what hangs alone: the slowest tests take ten seconds, and machines that are busy several times that.
    testTimeout: 120_000,
    hookTimeout: 120_000,
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
