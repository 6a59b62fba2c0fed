import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, it } from 'vitest'
import type { StoreWriter } from '../../../src/model/store.ts'
import { applicationId, partStride, schemaVersion } from '../../../src/store/sqlite/schema.ts'
import { openSqliteReader } from '../../../src/store/sqlite/store-reader.ts'
import { openSqliteWriter } from '../../../src/store/sqlite/store-writer.ts'
import { describeStore, inbox, type StoreUnderTest, seal, segment } from '../conformance.ts'

/** As the first version wrote it. */
const schemaOfVersion1 = `
CREATE TABLE counter (
  only INTEGER PRIMARY KEY CHECK (only = 0),
  sequence INTEGER NOT NULL
) STRICT;
INSERT INTO counter (only, sequence) VALUES (0, 0);

CREATE TABLE sealed_position (
  inbox_id TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sealed_count (
  tenant TEXT NOT NULL,
  signal INTEGER NOT NULL,
  items INTEGER NOT NULL,
  PRIMARY KEY (tenant, signal)
) STRICT, WITHOUT ROWID;

CREATE TABLE stored_total (
  signal INTEGER PRIMARY KEY,
  segments INTEGER NOT NULL,
  items INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE segment (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  signal INTEGER NOT NULL,
  format_version INTEGER NOT NULL,
  inbox_id TEXT NOT NULL,
  from_position INTEGER NOT NULL,
  to_position INTEGER NOT NULL,
  count INTEGER NOT NULL,
  byte_length INTEGER NOT NULL,
  min_time_ms REAL NOT NULL,
  max_time_ms REAL NOT NULL,
  min_received_ms REAL NOT NULL,
  max_received_ms REAL NOT NULL,
  services TEXT,
  parts TEXT NOT NULL
) STRICT;
CREATE INDEX segment_by_receipt ON segment (signal, max_received_ms);

CREATE TABLE segment_part (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE removal (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL
) STRICT;

CREATE TABLE rollup (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  step_seconds INTEGER NOT NULL,
  from_ms REAL NOT NULL,
  to_ms REAL NOT NULL,
  received_ms REAL NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX rollup_by_time ON rollup (tenant, to_ms, from_ms);
CREATE INDEX rollup_by_receipt ON rollup (received_ms);

CREATE TABLE template (
  tenant TEXT NOT NULL,
  number INTEGER NOT NULL,
  service TEXT NOT NULL,
  id TEXT NOT NULL,
  pattern TEXT NOT NULL,
  severity INTEGER NOT NULL,
  first_seen_ms REAL NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
`

const folders: string[] = []

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'otelcontext-store-'))
  folders.push(folder)
  return join(folder, 'store.db')
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describeStore('SQLite', async (): Promise<StoreUnderTest> => {
  const file = newFile()
  let writer: StoreWriter = openSqliteWriter(file)
  return {
    writer,
    openReader: () => openSqliteReader(file),
    async reopen() {
      await writer.close()
      writer = openSqliteWriter(file)
      return writer
    },
    async damagePart(id, part) {
      const db = new Database(file)
      const row = db
        .prepare<[string], { sequence: number; parts: string }>(
          'SELECT sequence, parts FROM segment WHERE id = ?',
        )
        .get(id)
      const key = (row?.sequence ?? 0) * partStride + (row?.parts.split(' ').indexOf(part) ?? 0)
      const bytes = db
        .prepare<[number], { bytes: Buffer }>('SELECT bytes FROM segment_part WHERE id = ?')
        .get(key)?.bytes
      if (bytes === undefined) throw new Error(`no part ${part} of ${id}`)
      bytes[1] = (bytes[1] ?? 0) ^ 1
      db.prepare('UPDATE segment_part SET bytes = ? WHERE id = ?').run(bytes, key)
      db.close()
    },
    close: () => writer.close(),
  }
})

describe('the database file', () => {
  it('can be read and written by its owner alone', async () => {
    const file = newFile()
    const writer = openSqliteWriter(file)
    await writer.commitSeal(seal(1, { segments: [segment('a')] }))
    for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600)
    await writer.close()
  })

  it('has a write-ahead log and can give space back', async () => {
    const file = newFile()
    const writer = openSqliteWriter(file)
    await writer.close()
    const db = new Database(file)
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('auto_vacuum', { simple: true })).toBe(2)
    db.close()
  })

  it.each([
    ['text', (file: string) => writeFileSync(file, 'dear diary, '.repeat(1000)), 'foreign_database'],
    [
      'another program',
      (file: string) => {
        const db = new Database(file)
        db.exec('CREATE TABLE diary (entry TEXT)')
        db.close()
      },
      'foreign_database',
    ],
    [
      'a newer version',
      (file: string) => {
        const db = new Database(file)
        db.pragma(`application_id = ${applicationId}`)
        db.pragma(`user_version = ${schemaVersion + 1}`)
        db.exec('CREATE TABLE something (entry TEXT)')
        db.close()
      },
      'newer_database',
    ],
  ])('of %s is refused with one sentence and the remedy', async (_, make, code) => {
    const file = newFile()
    make(file)
    const refusal = { code, message: expect.stringContaining('DB_DSN') }
    await expect(openSqliteReader(file).snapshot()).rejects.toMatchObject(refusal)
    expect(() => openSqliteWriter(file)).toThrow(expect.objectContaining(refusal))
  })

  it('in a folder that is not there is refused with the remedy', () => {
    const file = join(newFile(), 'nowhere', 'store.db')
    expect(() => openSqliteWriter(file)).toThrow(
      expect.objectContaining({ code: 'store_unreachable', message: expect.stringContaining('directory') }),
    )
  })

  it('gives space back after removal', async () => {
    const file = newFile()
    const writer = openSqliteWriter(file)
    const big = 'x'.repeat(2_000_000)
    await writer.commitSeal(
      seal(1, { segments: ['a', 'b', 'c'].map(id => segment(id, { parts: { columns: big } })) }),
    )
    const before = (await writer.storageReport()).bytes
    await writer.removeSegments('traces', 5000, 2)
    while (await writer.reclaimSpace());
    const after = (await writer.storageReport()).bytes
    expect(before - after).toBeGreaterThan(3_000_000)
    await writer.close()
  })

  it('of an older version is brought up to date, or refused where that is switched off', async () => {
    const file = newFile()
    const db = new Database(file)
    db.exec(schemaOfVersion1)
    db.pragma(`application_id = ${applicationId}`)
    db.pragma('user_version = 1')
    db.exec(`INSERT INTO sealed_position VALUES ('${inbox}', 7);
      INSERT INTO sealed_count VALUES ('acme', 0, 25), ('acme', 1, 4);
      INSERT INTO segment VALUES (1, 'a', 'acme', 0, 1, '${inbox}', 1, 7, 10, 99, 1, 2, 1, 2, NULL, 'columns')`)
    db.close()
    const older = { code: 'older_database', message: expect.stringMatching(/schema 1 .* needs 2/) }
    await expect(openSqliteReader(file).snapshot()).rejects.toMatchObject(older)
    expect(() => openSqliteWriter(file, { migrate: false })).toThrow(expect.objectContaining(older))
    const writer = openSqliteWriter(file)
    expect(await writer.sealedPosition(inbox)).toBe(7)
    expect((await writer.storageReport()).perSignal).toEqual([
      { signal: 'traces', items: 10, bytes: 99 },
      { signal: 'logs', items: 0, bytes: 0 },
    ])
    const reader = openSqliteReader(file)
    const snapshot = await reader.snapshot()
    expect(await snapshot.sealedCounts()).toMatchObject([
      { signal: 'traces', items: 25, stored: 10, removed: 15 },
      { signal: 'logs', items: 4, stored: 0, removed: 4 },
    ])
    await snapshot.release()
    await reader.close()
    await writer.removeSegments('traces', 5000, 1)
    await writer.close()
  })

  it('does not let a lock of another process pass for damage', async () => {
    const file = newFile()
    const writer = openSqliteWriter(file)
    const other = new Database(file)
    other.exec('BEGIN IMMEDIATE')
    await expect(writer.commitSeal(seal(1))).rejects.toMatchObject({ code: 'store_busy' })
    other.exec('ROLLBACK')
    other.close()
    await writer.commitSeal(seal(1))
    expect(await writer.sealedPosition(inbox)).toBe(1)
    await writer.close()
  })
})
