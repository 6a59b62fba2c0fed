/** Log templates as rows; texts that a log line chooses are bytes, because Postgres takes no NUL in text. */
import type { Client, ClientBase } from 'pg'
import type { TemplateRecord } from '../../model/store.ts'

interface TemplateRow {
  readonly tenant: string
  readonly number: number
  readonly service: Buffer
  readonly id: string
  readonly pattern: Buffer
  readonly severity: number
  readonly first_seen_ms: number
}

const columns = 'tenant, number, service, id, pattern, severity, first_seen_ms'

/** Of one tenant, or of all (null); by tenant and number. */
export async function readTemplates(
  client: ClientBase,
  tenant: string | null,
): Promise<readonly TemplateRecord[]> {
  const { rows } = await client.query<TemplateRow>(
    `SELECT ${columns} FROM otelcontext.template WHERE $1::text IS NULL OR tenant = $1 ORDER BY tenant, number`,
    [tenant],
  )
  return rows.map(row => ({
    tenant: row.tenant,
    service: row.service.toString('utf8'),
    number: row.number,
    id: row.id,
    pattern: row.pattern.toString('utf8'),
    severity: row.severity,
    firstSeenMs: row.first_seen_ms,
  }))
}

/** A known one keeps its id, service and time. */
export async function upsertTemplates(client: Client, templates: readonly TemplateRecord[]): Promise<void> {
  // Of one number only the newest counts, and one statement may not meet it twice.
  const newest = new Map(templates.map(one => [`${one.number} ${one.tenant}`, one]))
  const all = [...newest.values()]
  if (all.length === 0) return
  await client.query(
    `INSERT INTO otelcontext.template (${columns})
     SELECT * FROM unnest($1::text[], $2::int[], $3::bytea[], $4::text[], $5::bytea[], $6::int[], $7::float8[])
     ON CONFLICT (tenant, number) DO UPDATE SET pattern = excluded.pattern, severity = excluded.severity`,
    [
      all.map(one => one.tenant),
      all.map(one => one.number),
      all.map(one => Buffer.from(one.service)),
      all.map(one => one.id),
      all.map(one => Buffer.from(one.pattern)),
      all.map(one => one.severity),
      all.map(one => one.firstSeenMs),
    ],
  )
}
