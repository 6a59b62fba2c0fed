/** Log templates as rows, with a checksum over what never changes of one and another over what may. */
import type Database from 'better-sqlite3'
import type { TemplateRecord } from '../../model/store.ts'
import { isDamage, readAround } from './damage.ts'
import { rowChecksum } from './row-checksum.ts'

interface TemplateRow {
  readonly tenant: string
  readonly number: number
  readonly service: string
  readonly id: string
  readonly pattern: string
  readonly severity: number
  readonly first_seen_ms: number
  readonly identity_crc: number
  readonly pattern_crc: number
}

const columns = 'tenant, number, service, id, pattern, severity, first_seen_ms, identity_crc, pattern_crc'

/** Stands for the pattern of a damaged row: its number stays taken, and its lines show what happened. */
export const damagedPattern = '<damaged>'

const maxNumber = 2 ** 31

/** Of one tenant, by number. Damaged rows come with `damagedPattern`, those on damaged pages not at all. */
export function readTemplates(db: Database.Database, tenant: string): readonly TemplateRecord[] {
  try {
    return db
      .prepare<[string], TemplateRow>(`SELECT ${columns} FROM template WHERE tenant = ? ORDER BY number`)
      .all(tenant)
      .map(templateOf)
  } catch (error) {
    if (!isDamage(error)) throw error
    const found: TemplateRecord[] = []
    const some = db.prepare<[number, number], TemplateRow>(
      `SELECT ${columns} FROM template WHERE tenant = '${tenant.replaceAll("'", "''")}'
           AND number BETWEEN ? AND ? ORDER BY number`,
    )
    readAround(some, 0, maxNumber, row => found.push(templateOf(row)))
    return found
  }
}

function templateOf(row: TemplateRow): TemplateRecord {
  const { tenant, number, service, id, pattern, severity, first_seen_ms: firstSeenMs } = row
  const record = { tenant, number, service, id, pattern, severity, firstSeenMs }
  if (isSoundTemplate(row)) return record
  return { ...record, service: String(service), id: String(id), pattern: damagedPattern }
}

function isSoundTemplate(row: TemplateRow): boolean {
  const { tenant, number, service, id, pattern, severity, first_seen_ms: firstSeenMs } = row
  const record = { tenant, number, service, id, pattern, severity, firstSeenMs }
  return row.identity_crc === identityChecksum(record) && row.pattern_crc === patternChecksum(record)
}

function identityChecksum({ tenant, number, service, id, firstSeenMs }: TemplateRecord): number {
  return rowChecksum([tenant, number, service, id, firstSeenMs])
}

function patternChecksum({ pattern, severity }: TemplateRecord): number {
  return rowChecksum([pattern, severity])
}

/** A template may generalise; its id, service and first sight stay those of the first time. */
export function upsertTemplate(db: Database.Database, template: TemplateRecord): void {
  const { tenant, number, service, id, pattern, severity, firstSeenMs } = template
  db.prepare(
    `INSERT INTO template (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, number) DO UPDATE SET pattern = excluded.pattern, severity = excluded.severity,
       pattern_crc = excluded.pattern_crc`,
  ).run(
    tenant,
    number,
    service,
    id,
    pattern,
    severity,
    firstSeenMs,
    identityChecksum(template),
    patternChecksum(template),
  )
}
