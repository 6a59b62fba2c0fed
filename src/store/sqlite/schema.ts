/**
 * The tables of a store in SQLite.
 *
 * A part is a row of its own under `segment.sequence * partStride + its place in segment.parts`: a read
 * touches the pages of the parts it asked for, and no second index has to be kept. Sequences count additions
 * and removals of segments together, so that readers follow both with one number. Columns named `crc` hold the
 * checksum of the row's other columns but `parts` and `bytes`; see `row-checksum.ts`.
 */

/** "OtCx" in ASCII; what `file` shows, and how a foreign database is told apart. */
export const applicationId = 0x4f744378

export const schemaVersion = 2

/** Parts of one segment at most: 79 frames of a full one and a few more. */
export const partStride = 4096

/** Per tenant and signal: what was ever sealed, what of it is stored, and what became of the rest. */
const totals = `
CREATE TABLE total (
  tenant TEXT NOT NULL,
  signal INTEGER NOT NULL,
  sealed INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  merged INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  segments INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (tenant, signal)
) STRICT, WITHOUT ROWID;
`

const retirements = `
CREATE TABLE retirement (
  generation INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  from_ms REAL NOT NULL,
  to_ms REAL NOT NULL
) STRICT;
`

/** Statements that lead from a schema to the next one, by the version they start from. */
export const migrations: ReadonlyMap<number, string> = new Map([
  [
    1,
    `${totals}
INSERT INTO total (tenant, signal, sealed, stored, merged, removed, segments, bytes)
SELECT tenant, signal, sum(sealed), sum(stored), 0, max(0, sum(sealed) - sum(stored)), sum(segments), sum(bytes)
FROM (
  SELECT tenant, signal, items AS sealed, 0 AS stored, 0 AS segments, 0 AS bytes FROM sealed_count
  UNION ALL
  SELECT tenant, signal, 0, count, 1, byte_length FROM segment
) GROUP BY tenant, signal;
DROP TABLE sealed_count;
DROP TABLE stored_total;
ALTER TABLE sealed_position ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup ADD COLUMN crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE template ADD COLUMN identity_crc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE template ADD COLUMN pattern_crc INTEGER NOT NULL DEFAULT 0;
${retirements}`,
  ],
])

export const schema: string = `
CREATE TABLE counter (
  only INTEGER PRIMARY KEY CHECK (only = 0),
  sequence INTEGER NOT NULL
) STRICT;
INSERT INTO counter (only, sequence) VALUES (0, 0);

CREATE TABLE sealed_position (
  inbox_id TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  crc INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

${totals}
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
  parts TEXT NOT NULL,
  crc INTEGER NOT NULL DEFAULT 0
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

${retirements}
CREATE TABLE rollup (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  step_seconds INTEGER NOT NULL,
  from_ms REAL NOT NULL,
  to_ms REAL NOT NULL,
  received_ms REAL NOT NULL,
  bytes BLOB NOT NULL,
  crc INTEGER NOT NULL DEFAULT 0
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
  identity_crc INTEGER NOT NULL DEFAULT 0,
  pattern_crc INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
`
