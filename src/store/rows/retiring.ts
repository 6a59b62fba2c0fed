/** Which times of which tenant lose data or detail in one transaction. */
import type { Retirement, Retirements } from '../../model/store.ts'

/** Remembered of all tenants together: a week of one a minute. What is older counts as possibly affected. */
export const maxRetirements = 10_000

export interface RetirementRow {
  readonly generation: number
  readonly from_ms: number
  readonly to_ms: number
}

export interface RetiredRange {
  readonly tenant: string
  readonly fromMs: number
  readonly toMs: number
}

/** What one transaction retires: one range per tenant, however many records it takes away. */
export class Retiring {
  readonly #ranges = new Map<string, { fromMs: number; toMs: number }>()

  add(tenant: string, fromMs: number, toMs: number): void {
    const known = this.#ranges.get(tenant)
    if (known === undefined) this.#ranges.set(tenant, { fromMs, toMs })
    else {
      known.fromMs = Math.min(known.fromMs, fromMs)
      known.toMs = Math.max(known.toMs, toMs)
    }
  }

  get ranges(): readonly RetiredRange[] {
    return [...this.#ranges].map(([tenant, range]) => ({ tenant, ...range }))
  }
}

/** `rows` of one tenant, oldest first; `count` and `oldest` of all tenants. */
export function retirementsOf(
  rows: readonly RetirementRow[],
  { count, oldest }: { readonly count: number; readonly oldest: number },
): Retirements {
  return {
    generation: rows.at(-1)?.generation ?? 0,
    since: count <= maxRetirements ? 0 : oldest - 1,
    list: rows.map(
      (row): Retirement => ({ generation: row.generation, fromMs: row.from_ms, toMs: row.to_ms }),
    ),
  }
}
