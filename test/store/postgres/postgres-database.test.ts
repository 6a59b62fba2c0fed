import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { dsnOf, locationOf, runSql } from '../../../scripts/postgres-server.ts'
import { StoreError } from '../../../src/errors.ts'
import type { StoreWriter } from '../../../src/model/store.ts'
import type { PostgresLocation } from '../../../src/model/store-location.ts'
import { passes } from '../../../src/store/postgres/explain.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { migrations, partitionName, schemaVersion } from '../../../src/store/postgres/schema.ts'
import { openPostgresReader } from '../../../src/store/postgres/store-reader.ts'
import { openPostgresWriter } from '../../../src/store/postgres/store-writer.ts'
import { inbox, rollup, seal, segment, template } from '../conformance.ts'
import { makeDatabase, type TestDatabase } from './test-database.ts'

const open: StoreWriter[] = []
const databases: TestDatabase[] = []

async function newDatabase(options: Partial<PostgresLocation> = {}): Promise<TestDatabase> {
  const database = await makeDatabase(options)
  databases.push(database)
  return database
}

async function openWriter(location: PostgresLocation, nowMs?: number): Promise<StoreWriter> {
  const clock = nowMs === undefined ? [] : [{ now: () => nowMs }]
  const writer = await openPostgresWriter(location, ...clock)
  open.push(writer)
  return writer
}

afterEach(async () => {
  for (const writer of open.splice(0)) await writer.close()
  for (const database of databases.splice(0)) await database.drop()
})

/** Opens for writing, which must fail, and checks that nothing secret is said. */
async function refusal(location: PostgresLocation): Promise<StoreError> {
  const error = await openWriter(location).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StoreError)) throw new Error(`no refusal but ${String(error)}`)
  expect(error.message).not.toContain('not a secret')
  expect(error.message.split('\n')).toHaveLength(1)
  return error
}

async function sessions(database: TestDatabase, name: string): Promise<number> {
  const rows = await database.run(
    `SELECT pid FROM pg_stat_activity WHERE datname = '${database.name}' AND application_name = '${name}'`,
  )
  return rows.length
}

describe('a database that cannot be used is refused in one sentence with the remedy', () => {
  it('wrong password', async () => {
    const { location } = await newDatabase()
    const error = await refusal({ ...location, dsn: location.dsn.replace(/:[^:@]*@/, ':wrong@') })
    expect(error).toMatchObject({ code: 'store_refused', message: expect.stringContaining('DB_DSN') })
    expect(passes(error)).toBe(false)
  })

  it('no password', async () => {
    const { location } = await newDatabase()
    const error = await refusal({ ...location, dsn: location.dsn.replace(/:[^:@]*@/, '@') })
    expect(error).toMatchObject({ code: 'store_refused', message: expect.stringContaining('password') })
  })

  it('database missing', async () => {
    const error = await refusal(locationOf(dsnOf(inject('postgresPort'), 'nowhere')))
    expect(error).toMatchObject({ code: 'no_database', message: expect.stringContaining('CREATE DATABASE') })
  })

  it('TLS asked for where there is none', async () => {
    const { location } = await newDatabase()
    const error = await refusal({ ...location, dsn: `${location.dsn}?sslmode=require` })
    expect(error).toMatchObject({
      code: 'store_refused',
      message: expect.stringContaining('sslmode=disable'),
    })
  })

  it('no rights', async () => {
    const database = await newDatabase()
    await database.run(
      `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'guest') THEN
         CREATE ROLE guest LOGIN PASSWORD 'guest'; END IF; END $$`,
    )
    const dsn = `postgres://guest:guest@127.0.0.1:${inject('postgresPort')}/${database.name}`
    const error = await refusal({ ...database.location, dsn })
    expect(error).toMatchObject({
      code: 'no_rights',
      message: expect.stringContaining('CREATE SCHEMA otelcontext AUTHORIZATION'),
    })
    await database.run('CREATE SCHEMA otelcontext AUTHORIZATION guest')
    const writer = await openWriter({ ...database.location, dsn })
    await writer.commitSeal(seal(1, { segments: [segment('a')] }))
    expect((await writer.storageReport()).segments).toBe(1)
  })

  it('commits that are not durable', async () => {
    const database = await newDatabase()
    await database.run(`ALTER DATABASE ${database.name} SET synchronous_commit = off`)
    expect(await refusal(database.location)).toMatchObject({
      code: 'not_durable',
      message: expect.stringContaining('synchronous_commit = on'),
    })
    await database.run(`ALTER DATABASE ${database.name} RESET synchronous_commit`)
    await openWriter(database.location)
  })

  it('a newer schema, also to a reader', async () => {
    const database = await newDatabase()
    await (await openPostgresWriter(database.location)).close()
    await database.run(`UPDATE otelcontext.store SET version = ${schemaVersion + 1}`)
    const newer = {
      code: 'newer_database',
      message: expect.stringMatching(
        new RegExp(`version ${schemaVersion + 1} .* knows up to ${schemaVersion}`),
      ),
    }
    expect(await refusal(database.location)).toMatchObject(newer)
    const reader = openPostgresReader(database.location)
    await expect(reader.snapshot()).rejects.toMatchObject(newer)
    await reader.close()
  })

  it('an older schema, or none, that must not be changed', async () => {
    const { location } = await newDatabase({ migrate: false })
    expect(await refusal(location)).toMatchObject({
      code: 'older_database',
      message: expect.stringContaining('DB_AUTOMIGRATE=true'),
    })
    const reader = openPostgresReader(location)
    await expect(reader.snapshot()).rejects.toMatchObject({ code: 'no_schema' })
    await reader.close()
  })

  it("another program's schema", async () => {
    const database = await newDatabase()
    await database.run('CREATE SCHEMA otelcontext CREATE TABLE diary (entry text)')
    expect(await refusal(database.location)).toMatchObject({ code: 'foreign_database' })
  })

  it.each([
    ['' as const, 'daily' as const],
    ['daily' as const, '' as const],
  ])('partitions "%s" where "%s" was made', async (asked, made) => {
    const { location } = await newDatabase({ partitioning: made })
    await (await openPostgresWriter(location)).close()
    const error = await refusal({ ...location, partitioning: asked })
    expect(error).toMatchObject({
      code: 'other_partitioning',
      message: expect.stringContaining('DB_POSTGRES_PARTITIONING'),
    })
  })

  it('a server that is not there, which may come back', async () => {
    const error = await refusal(locationOf('postgres://postgres:x@127.0.0.1:1/shop'))
    expect(error).toMatchObject({
      code: 'store_unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
    expect(passes(error)).toBe(true)
    const reader = openPostgresReader(locationOf('postgres://postgres:x@127.0.0.1:1/shop'))
    await expect(reader.snapshot()).rejects.toMatchObject({ code: 'store_unreachable' })
    await reader.close()
  })

  it('a standby, which may become the primary', async () => {
    const database = await newDatabase()
    const writer = await openWriter(database.location)
    await database.run(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`)
    await database.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = '${database.name}' AND application_name = 'otelcontext'`)
    await pause(100)
    await expect(writer.commitSeal(seal(1))).rejects.toMatchObject({ code: 'store_standby' })
    await runSql(
      inject('postgresPort'),
      `ALTER DATABASE ${database.name} RESET default_transaction_read_only`,
      'postgres',
    )
    await expect
      .poll(() =>
        writer.commitSeal(seal(1)).then(
          () => 'sealed',
          () => 'refused',
        ),
      )
      .toBe('sealed')
  })
})

describe('one writer', () => {
  it('keeps a second process out, and is replaced once it is gone', async () => {
    const { location } = await newDatabase()
    const first = await openPostgresWriter(location)
    const error = await refusal(location)
    expect(error).toMatchObject({ code: 'store_owned', message: expect.stringContaining('DB_DSN') })
    expect(passes(error)).toBe(true)
    await first.close()
    const second = await openWriter(location)
    await second.commitSeal(seal(1))
    expect(await second.sealedPosition(inbox)).toBe(1)
  })

  it('that was replaced does not write over the other', async () => {
    const database = await newDatabase()
    const first = await openWriter(database.location)
    await first.commitSeal(seal(1))
    await database.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = '${database.name}' AND application_name = 'otelcontext'`)
    const second = await openPostgresWriter(database.location)
    await second.commitSeal(seal(2))
    await second.close()
    await expect(first.commitSeal(seal(3))).rejects.toMatchObject({ code: 'store_taken' })
  })

  it('goes on by itself after its connection was lost, and stores what may have been committed once', async () => {
    const database = await newDatabase()
    const writer = await openWriter(database.location)
    const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = '${database.name}' AND application_name = 'otelcontext'`
    for (let position = 1; position <= 12; position++) {
      const counts = [{ tenant: 'acme', signal: 'traces' as const, items: 10 }]
      const one = seal(position, { segments: [segment(`s${position}`)], counts })
      const committing = writer.commitSeal(one).then(
        () => true,
        () => false,
      )
      await Promise.all([committing, position % 2 === 0 ? database.run(kill) : null])
      if (await committing) continue
      await expect
        .poll(
          () =>
            writer.commitSeal(one).then(
              () => 'sealed',
              (error: unknown) => String(error),
            ),
          { timeout: 10_000 },
        )
        .toBe('sealed')
    }
    const reader = openPostgresReader(database.location)
    const snapshot = await reader.snapshot()
    expect(await snapshot.sealedCounts()).toMatchObject([{ items: 120, stored: 120 }])
    expect((await snapshot.segmentChanges(0)).added).toHaveLength(12)
    await snapshot.release()
    await reader.close()
  })

  it('does not seal on when the server lost what it had acknowledged', async () => {
    const database = await newDatabase()
    const writer = await openWriter(database.location)
    await writer.commitSeal(seal(5))
    await database.run('UPDATE otelcontext.sealed_position SET position = 3')
    await expect(writer.commitSeal(seal(6))).rejects.toMatchObject({
      code: 'store_behind',
      message: expect.stringMatching(/position 3 .* acknowledged 5/),
    })
  })

  it('can be told to give a seal up that waits for a lock', async () => {
    const database = await newDatabase()
    const writer = await openWriter(database.location)
    const other = new Client({ connectionString: database.location.dsn })
    await other.connect()
    await other.query('BEGIN; LOCK TABLE otelcontext.segment')
    const giveUp = new AbortController()
    setTimeout(() => giveUp.abort(), 200)
    await expect(writer.commitSeal(seal(1, { segments: [segment('a')] }), giveUp.signal)).rejects.toThrow()
    await other.query('ROLLBACK')
    await other.end()
    await writer.commitSeal(seal(1, { segments: [segment('a')] }))
    expect(await writer.sealedPosition(inbox)).toBe(1)
  })
})

describe('a reader', () => {
  it('goes on by itself after all of its connections were lost', async () => {
    const database = await newDatabase()
    const writer = await openWriter(database.location)
    await writer.commitSeal(seal(1))
    const reader = openPostgresReader(database.location)
    const lost = await Promise.all(Array.from({ length: 3 }, () => reader.snapshot()))
    const spare = await Promise.all(Array.from({ length: 3 }, () => reader.snapshot()))
    await Promise.all(spare.map(one => one.release()))
    await database.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = '${database.name}' AND application_name = 'otelcontext'`)
    await expect(lost[0]?.sealedPosition(inbox)).rejects.toMatchObject({ code: 'store_unreachable' })
    await expect(lost[1]?.segmentParts('a', ['columns'])).rejects.toMatchObject({ code: 'store_unreachable' })
    await Promise.all(lost.map(one => one.release()))
    const snapshot = await reader.snapshot()
    expect(await snapshot.sealedPosition(inbox)).toBe(1)
    await snapshot.release()
    await reader.close()
  })

  it('comes back at once when its call is given up, and the connection is not used again', async () => {
    const database = await newDatabase()
    const writer = await openWriter(database.location)
    await writer.commitSeal(seal(1, { segments: [segment('a')] }))
    const reader = openPostgresReader(database.location)
    const snapshot = await reader.snapshot()
    const other = new Client({ connectionString: database.location.dsn })
    await other.connect()
    await other.query('BEGIN; LOCK TABLE otelcontext.segment_data')
    const giveUp = new AbortController()
    const reading = snapshot.segmentParts('a', ['columns'], giveUp.signal)
    setTimeout(() => giveUp.abort(), 100)
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
    await snapshot.release()
    expect(await sessions(database, 'otelcontext')).toBeLessThanOrEqual(2)
    await other.query('ROLLBACK')
    await other.end()
    const again = await reader.snapshot()
    expect((await again.segmentParts('a', ['columns'])).size).toBe(1)
    await again.release()
    await reader.close()
  })

  it('says that a lock held it up, and reads on in a new view', async () => {
    const database = await newDatabase()
    const writer = await openWriter(database.location)
    await writer.commitSeal(seal(1, { segments: [segment('a')] }))
    const reader = openPostgresReader(database.location)
    const first = await reader.snapshot()
    const other = new Client({ connectionString: database.location.dsn })
    await other.connect()
    await other.query('BEGIN; LOCK TABLE otelcontext.segment_data')
    await expect(first.segmentParts('a', ['columns'])).rejects.toMatchObject({ code: 'store_busy' })
    await other.query('ROLLBACK')
    await other.end()
    await first.release()
    const second = await reader.snapshot()
    expect((await second.segmentParts('a', ['columns'])).size).toBe(1)
    await second.release()
    await reader.close()
  })

  it('released in the middle of several reads ends the one that runs and starts no other', async () => {
    const { location } = await newDatabase()
    const writer = await openWriter(location)
    await writer.commitSeal(seal(1, { segments: [segment('a')] }))
    const reader = openPostgresReader(location)
    const snapshot = await reader.snapshot()
    const reads = Array.from({ length: 8 }, () => snapshot.segmentParts('a', ['columns']))
    const settled = Promise.allSettled(reads)
    await Promise.resolve()
    await snapshot.release()
    expect((await settled).at(-1)).toMatchObject({ reason: { code: 'snapshot_released' } })
    const again = await reader.snapshot()
    expect((await again.segmentParts('a', ['columns'])).size).toBe(1)
    await again.release()
    await reader.close()
  })

  it('never uses more connections than it may', async () => {
    const database = await newDatabase({ readConnections: 2 })
    await openWriter(database.location)
    const reader = openPostgresReader(database.location)
    const first = await reader.snapshot()
    const rest = Array.from({ length: 5 }, async () => {
      const snapshot = await reader.snapshot()
      await snapshot.sealedPosition(inbox)
      await snapshot.release()
    })
    await Promise.all(rest)
    expect(await sessions(database, 'otelcontext')).toBe(3)
    await first.release()
    await reader.close()
  })
})

describe('texts', () => {
  it('with NUL and any other character come back as they were', async () => {
    const { location } = await newDatabase()
    const writer = await openWriter(location)
    const odd = 'nul \u0000, quote \' " \\, smile \u{1F600}, {curly}'
    const stored = { ...template(1, 'acme', odd), service: odd }
    const one = segment('a')
    const header = { ...one.header, services: [odd] }
    await writer.commitSeal(seal(1, { templates: [stored], segments: [{ ...one, header }] }))
    expect(await writer.allTemplates()).toEqual([stored])
    const reader = openPostgresReader(location)
    const snapshot = await reader.snapshot()
    expect((await snapshot.segmentChanges(0)).added).toEqual([header])
    await snapshot.release()
    await reader.close()
  })
})

const dayMs = 86_400_000

describe('daily partitions', () => {
  const noonMs = 20_000 * dayMs + dayMs / 2

  async function partitions(database: TestDatabase): Promise<readonly unknown[]> {
    const rows = await database.run(
      `SELECT relname AS name FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
       WHERE inhparent = 'otelcontext.segment_data'::regclass ORDER BY relname`,
    )
    return rows.map(row => row['name'])
  }

  it('are there for today and the days to come, one per signal', async () => {
    const database = await newDatabase({ partitioning: 'daily', lookaheadDays: 2 })
    const writer = await openWriter(database.location, noonMs)
    const days = [20_000, 20_001, 20_002]
    const expected = [0, 1, 2].flatMap(signal => days.map(day => partitionName(signal, day)))
    expect(await partitions(database)).toEqual(expected.sort())
    expect((await writer.storageReport()).partitions).toEqual({ active: 9, dropped: 0 })
  })

  it('are dropped whole once their day is over and nothing in them is listed', async () => {
    const database = await newDatabase({ partitioning: 'daily', lookaheadDays: 0 })
    const writer = await openWriter(database.location, noonMs)
    const at = (id: string, day: number): ReturnType<typeof segment> =>
      segment(id, { receivedMs: day * dayMs + 1_000 })
    await writer.commitSeal(seal(1, { segments: [at('a', 19_990), at('b', 19_990), at('c', 19_991)] }))
    expect((await writer.removeSegments('traces', 19_991 * dayMs, 1)).segments).toBe(1)
    expect(await partitions(database)).toContain(partitionName(0, 19_990))
    expect((await writer.removeSegments('traces', 19_991 * dayMs, 1)).segments).toBe(1)
    expect(await partitions(database)).not.toContain(partitionName(0, 19_990))
    expect(await partitions(database)).toContain(partitionName(0, 19_991))
    expect((await writer.storageReport()).partitions).toEqual({ active: 4, dropped: 1 })
  })

  it('wait for a reader that still looks into the table', async () => {
    const database = await newDatabase({ partitioning: 'daily', lookaheadDays: 0 })
    const writer = await openWriter(database.location, noonMs)
    const old = segment('old', { receivedMs: 19_990 * dayMs })
    await writer.commitSeal(seal(1, { segments: [old] }))
    const reader = openPostgresReader(database.location)
    const snapshot = await reader.snapshot()
    await snapshot.segmentParts('old', ['columns'])
    expect((await writer.removeSegments('traces', 19_992 * dayMs, 10)).segments).toBe(1)
    expect((await snapshot.segmentParts('old', ['columns'])).size).toBe(1)
    expect((await writer.storageReport()).partitions).toMatchObject({ dropped: 0 })
    await snapshot.release()
    await writer.removeSegments('traces', 19_992 * dayMs, 10)
    expect((await writer.storageReport()).partitions).toMatchObject({ dropped: 1 })
    await reader.close()
  })

  it('made in a seal that failed are made again', async () => {
    const database = await newDatabase({ partitioning: 'daily', lookaheadDays: 0 })
    const writer = await openWriter(database.location, noonMs)
    const old = segment('old', { receivedMs: 19_990 * dayMs })
    const broken = { ...rollup('r', 0, 1), tenant: undefined as unknown as string }
    await expect(writer.commitSeal(seal(1, { segments: [old], rollups: [broken] }))).rejects.toThrow()
    await writer.commitSeal(seal(1, { segments: [old] }))
    expect(await partitions(database)).toContain(partitionName(0, 19_990))
  })
})

describe('a migration', () => {
  it('that ends at any of its statements has not happened, and the next start does all of it', async () => {
    const [first] = migrations
    if (first === undefined) throw new Error('there is no schema')
    for (const partitioning of ['', 'daily'] as const) {
      const statements = first(partitioning)
      for (let end = 0; end <= statements.length; end++) {
        const database = await makeDatabase({ partitioning })
        const client = new Client({ connectionString: database.location.dsn })
        client.on('error', () => undefined)
        await client.connect()
        const cut = [...statements.slice(0, end), 'SELECT pg_terminate_backend(pg_backend_pid())']
        const options = { shown: 'here', migrate: true, partitioning }
        await expect(migrate(client, { ...options, steps: [() => cut] })).rejects.toThrow()
        await client.end().catch(() => undefined)
        if (end === statements.length || end % 5 === 0) {
          const writer = await openPostgresWriter(database.location)
          await writer.commitSeal(seal(1, { segments: [segment('a')] }))
          expect((await writer.storageReport()).segments).toBe(1)
          await writer.close()
        } else {
          const left = await database.run(`SELECT FROM pg_namespace WHERE nspname = 'otelcontext'`)
          expect(left).toHaveLength(0)
        }
        await database.drop()
      }
    }
  })

  it('leads from every older version to the newest', async () => {
    const database = await newDatabase()
    const client = new Client({ connectionString: database.location.dsn })
    await client.connect()
    const steps = [...migrations, () => ['ALTER TABLE otelcontext.store ADD COLUMN later integer']]
    const options = { shown: 'here', migrate: true, partitioning: '' as const }
    await migrate(client, { ...options, steps: steps.slice(0, -1) })
    await migrate(client, { ...options, steps })
    const { rows } = await client.query('SELECT version, later FROM otelcontext.store')
    expect(rows).toEqual([{ version: steps.length, later: null }])
    await client.end()
  })
})
