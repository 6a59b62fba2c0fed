/**
 * The tables of a store in Postgres, all in the schema `otelcontext`, and the steps that lead to them.
 *
 * The parts of a segment are one value, uncompressed by Postgres because they are compressed already: a read of
 * a few parts then fetches only the two-kilobyte pieces they lie in. Sequences count additions and removals of
 * segments together, so that readers follow both with one number. Texts that telemetry chooses freely may hold
 * NUL, which Postgres does not take in text: they are bytes, or JSON.
 */
import type { Signal } from '../../model/telemetry.ts'
import { signals } from '../../model/telemetry.ts'

export type Partitioning = '' | 'daily'

/** Statements that lead from the version before to this one; run in one transaction. */
export type Migration = (partitioning: Partitioning) => readonly string[]

export const migrations: readonly Migration[] = [
  partitioning => [
    // IF NOT EXISTS would ask for rights in the database even where the schema was made beforehand.
    `DO $$ BEGIN IF to_regnamespace('otelcontext') IS NULL THEN CREATE SCHEMA otelcontext; END IF; END $$`,
    // `writer` is whoever wrote last; `sequence` is the newest one given out.
    `CREATE TABLE otelcontext.store (
      one smallint PRIMARY KEY CHECK (one = 0),
      version integer NOT NULL,
      partitioning text NOT NULL,
      writer text NOT NULL,
      sequence bigint NOT NULL,
      rollup_bytes bigint NOT NULL
    )`,
    `INSERT INTO otelcontext.store (one, version, partitioning, writer, sequence, rollup_bytes)
      VALUES (0, 0, '${partitioning}', '', 0, 0)`,
    `CREATE TABLE otelcontext.sealed_position (
      inbox_id text PRIMARY KEY,
      position bigint NOT NULL
    )`,
    `CREATE TABLE otelcontext.total (
      tenant text COLLATE "C" NOT NULL,
      signal smallint NOT NULL,
      sealed bigint NOT NULL,
      stored bigint NOT NULL,
      merged bigint NOT NULL,
      removed bigint NOT NULL,
      segments bigint NOT NULL,
      bytes bigint NOT NULL,
      PRIMARY KEY (tenant, signal)
    )`,
    `CREATE TABLE otelcontext.segment (
      sequence bigint PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      tenant text COLLATE "C" NOT NULL,
      signal smallint NOT NULL,
      format_version integer NOT NULL,
      inbox_id text NOT NULL,
      from_position bigint NOT NULL,
      to_position bigint NOT NULL,
      count integer NOT NULL,
      byte_length bigint NOT NULL,
      min_time_ms double precision NOT NULL,
      max_time_ms double precision NOT NULL,
      min_received_ms double precision NOT NULL,
      max_received_ms double precision NOT NULL,
      services text,
      parts text NOT NULL,
      day integer NOT NULL
    )`,
    'CREATE INDEX segment_by_receipt ON otelcontext.segment (signal, max_received_ms, sequence)',
    `CREATE TABLE otelcontext.segment_data (
      signal smallint NOT NULL,
      day integer NOT NULL,
      sequence bigint NOT NULL,
      bytes bytea NOT NULL,
      PRIMARY KEY (signal, day, sequence)
    ) ${partitioning === 'daily' ? 'PARTITION BY RANGE (signal, day)' : ''}`,
    'ALTER TABLE otelcontext.segment_data ALTER COLUMN bytes SET STORAGE EXTERNAL',
    `CREATE TABLE otelcontext.removal (
      sequence bigint PRIMARY KEY,
      id text COLLATE "C" NOT NULL
    )`,
    `CREATE TABLE otelcontext.retirement (
      generation bigint PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      from_ms double precision NOT NULL,
      to_ms double precision NOT NULL
    )`,
    `CREATE TABLE otelcontext.rollup (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      tenant text COLLATE "C" NOT NULL,
      step_seconds integer NOT NULL,
      from_ms double precision NOT NULL,
      to_ms double precision NOT NULL,
      received_ms double precision NOT NULL,
      bytes bytea NOT NULL
    )`,
    'ALTER TABLE otelcontext.rollup ALTER COLUMN bytes SET STORAGE EXTERNAL',
    'CREATE INDEX rollup_by_time ON otelcontext.rollup (tenant, to_ms, number)',
    'CREATE INDEX rollup_by_receipt ON otelcontext.rollup (received_ms, number)',
    `CREATE TABLE otelcontext.template (
      tenant text COLLATE "C" NOT NULL,
      number integer NOT NULL,
      service bytea NOT NULL,
      id text NOT NULL,
      pattern bytea NOT NULL,
      severity integer NOT NULL,
      first_seen_ms double precision NOT NULL,
      PRIMARY KEY (tenant, number)
    )`,
  ],
]

export const schemaVersion: number = migrations.length

const dayMs = 86_400_000

/** Days since 1970-01-01 UTC; the partition of what was received then. */
export function dayOf(receivedMs: number): number {
  return Math.floor(receivedMs / dayMs)
}

/** `segment_data_traces_20261120`. */
export function partitionName(signal: number, day: number): string {
  const date = new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '')
  return `segment_data_${signalName(signal)}_${date}`
}

function signalName(number: number): Signal {
  return signals[number] ?? 'traces'
}
