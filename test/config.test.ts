import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { reportSettings } from '../src/cli/settings-report.ts'
import { readConfiguration } from '../src/config.ts'
import { ConfigurationError } from '../src/errors.ts'

const emptyDirectory = (): string => mkdtempSync(join(tmpdir(), 'otelcontext-config-'))

function problemsOf(environment: Record<string, string>, directory = emptyDirectory()): readonly string[] {
  try {
    readConfiguration(environment, directory)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
  return []
}

describe('configuration', () => {
  it('needs nothing to be set and stays on the loopback', () => {
    const configuration = readConfiguration({}, emptyDirectory())
    expect(configuration.bindAddress).toBe('127.0.0.1')
    expect(configuration.values.GRPC_PORT).toBe(4317)
    expect(configuration.values.MCP_CALL_TIMEOUT_MS).toBe(30_000)
    expect(configuration.warnings).toEqual([])
  })

  it('reports all problems at once, each with the name, the value and the default', () => {
    const problems = problemsOf({ HTTP_PORT: '99999', LOG_LEVEL: 'loud', HOT_RETENTION_DAYS: '0' })
    expect(problems).toHaveLength(3)
    expect(problems[0]).toMatch(/LOG_LEVEL.*"LOUD"|LOG_LEVEL.*"loud"/)
    expect(problems.join('\n')).toMatch(/HTTP_PORT.*"99999".*the default is 8080/)
    expect(problems.join('\n')).toMatch(/HOT_RETENTION_DAYS.*"0".*the default is 7/)
  })

  it.each(['seven', '1.5', '1e99', '70000'])('says of %s as a port what is wanted instead', port => {
    expect(problemsOf({ HTTP_PORT: port })).toEqual([
      expect.stringContaining('expected a whole number from 0 to 65535'),
    ])
  })

  it('offers no toolset unless it is named, and does not start for one it does not know', () => {
    const chosen = (value: string) => readConfiguration({ MCP_TOOLSETS: value }, emptyDirectory()).values
    expect(chosen('').MCP_TOOLSETS).toEqual([])
    expect(chosen(' forensics ,').MCP_TOOLSETS).toEqual(['forensics'])
    const [problem] = problemsOf({ MCP_TOOLSETS: 'forensics,sequel' })
    expect(problem).toMatch(/MCP_TOOLSETS.*"forensics,sequel".*expected.*forensics/)
  })

  it('never shows a secret in a problem', () => {
    const problems = problemsOf({ API_KEY: 'short-secret' })
    expect(problems).toHaveLength(1)
    expect(problems[0]).not.toContain('short-secret')
  })

  it('lets set variables win over the file', () => {
    const directory = emptyDirectory()
    writeFileSync(join(directory, '.env'), 'HTTP_PORT=9000\nGRPC_PORT=9001\n')
    const configuration = readConfiguration({ GRPC_PORT: '9002' }, directory)
    expect(configuration.values.HTTP_PORT).toBe(9000)
    expect(configuration.sources.HTTP_PORT).toBe('file')
    expect(configuration.values.GRPC_PORT).toBe(9002)
    expect(configuration.sources.GRPC_PORT).toBe('environment')
  })

  it('opens to the network with a key', () => {
    expect(readConfiguration({ API_KEY: 'k'.repeat(32) }, emptyDirectory()).bindAddress).toBe('0.0.0.0')
  })

  it.each(['0.0.0.0', '192.168.1.5', '::'])(
    'refuses %s without a key unless that is accepted, and then warns',
    address => {
      expect(problemsOf({ BIND_ADDRESS: address })[0]).toMatch(/set API_KEY, or ALLOW_UNAUTHENTICATED=true/)
      const accepted = readConfiguration(
        { BIND_ADDRESS: address, ALLOW_UNAUTHENTICATED: 'true' },
        emptyDirectory(),
      )
      expect(accepted.warnings.join()).toMatch(/without a key/)
    },
  )

  it('stops at settings this version does not have rather than ignoring them', () => {
    expect(problemsOf({ TLS_CERT_FILE: '/etc/cert.pem' })[0]).toMatch(
      /TLS_CERT_FILE is set, but this version/,
    )
    expect(problemsOf({ TLS_AUTO_SELFSIGNED: 'false' })).toEqual([])
  })

  it('says once which settings have no mechanism of their own', () => {
    const { warnings } = readConfiguration({ GRAPHRAG_WORKER_COUNT: '4' }, emptyDirectory())
    expect(warnings).toEqual([expect.stringMatching(/^GRAPHRAG_WORKER_COUNT.*INBOX_MAX_BYTES/)])
  })

  it('refuses SQLite in production unless that is accepted', () => {
    expect(problemsOf({ APP_ENV: 'production' })[0]).toMatch(/OTELCONTEXT_ALLOW_SQLITE_PROD=true/)
    expect(problemsOf({ APP_ENV: 'production', OTELCONTEXT_ALLOW_SQLITE_PROD: 'true' })).toEqual([])
  })

  it('takes Postgres with its settings, also in production, and hands each reader its share of connections', () => {
    const dsn = 'postgres://ann:s3cret@db/shop'
    const settings = { APP_ENV: 'production', DB_DRIVER: 'Postgres', DB_DSN: dsn, DB_MAX_OPEN_CONNS: '31' }
    const { store } = readConfiguration({ ...settings, DB_POSTGRES_PARTITIONING: 'daily' }, emptyDirectory())
    expect(store).toEqual({
      driver: 'postgres',
      dsn,
      migrate: true,
      partitioning: 'daily',
      lookaheadDays: 3,
      maxConnections: 31,
      readConnections: 5,
      connectionLifetimeMs: 3_600_000,
    })
  })

  it('refuses a driver without a server, and a server without its driver, and shows no DSN', () => {
    expect(problemsOf({ DB_DRIVER: 'postgres' })).toEqual([
      expect.stringMatching(/DB_DSN is empty; set it to/),
    ])
    const problems = problemsOf({ DB_DSN: 'postgres://ann:s3cret@db/shop' })
    expect(problems).toEqual([expect.stringMatching(/set DB_DRIVER=postgres/)])
    expect(problems.join()).not.toContain('s3cret')
    const shown = JSON.stringify(
      reportSettings(
        readConfiguration({ DB_DRIVER: 'postgres', DB_DSN: 'host=db password=s3cret' }, emptyDirectory()),
      ),
    )
    expect(shown).toContain('DB_DSN')
    expect(shown).not.toContain('s3cret')
  })

  it.each([
    ['0', 0],
    ['250ms', 250],
    ['5m', 300_000],
    ['2d', 172_800_000],
  ])('reads the duration %s', (text, ms) => {
    expect(readConfiguration({ INBOX_KEEP_SEALED: text }, emptyDirectory()).values.INBOX_KEEP_SEALED).toBe(ms)
  })
})
