/** Log templates as rows. */
import type { TemplateRecord } from '../../model/store.ts'

export interface TemplateRow {
  readonly tenant: string
  readonly number: number
  readonly service: string
  readonly id: string
  readonly pattern: string
  readonly severity: number
  readonly first_seen_ms: number
}

export const templateColumns = 'tenant, number, service, id, pattern, severity, first_seen_ms'

export function templateOf(row: TemplateRow): TemplateRecord {
  const { tenant, number, service, id, pattern, severity, first_seen_ms: firstSeenMs } = row
  return { tenant, number, service, id, pattern, severity, firstSeenMs }
}
