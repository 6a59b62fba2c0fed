/**
 * Reads everything a store holds through the same port as the server, so that what can be read here is what
 * answers are made of: every part of every segment, every rollup, every template, and whether the books agree.
 */
import { StoreError } from '../../errors.ts'
import { openBlock } from '../../graph/rollups/decode.ts'
import { kindShapes } from '../../graph/rollups/series-keys.ts'
import type {
  RollupPage,
  RollupRecord,
  SegmentHeader,
  StoreReader,
  StoreSnapshot,
} from '../../model/store.ts'
import { type Signal, signals } from '../../model/telemetry.ts'
import { checkSegment } from './check-segment.ts'
import type { Findings, VerifyProgress } from './finding.ts'

export interface StoreFigures {
  segments: number
  items: number
  rollups: number
  templates: number
  bytes: number
}

/** Rollups read at once; a few megabytes. */
const rollupsPerPage = 64

/** Damaged patterns come with this text; see `sqlite/template-rows.ts`. */
const damagedPattern = '<damaged>'

/** Rejects with StoreError only if the store cannot be opened at all. */
export async function checkStore(
  reader: StoreReader,
  findings: Findings,
  progress: VerifyProgress,
  signal?: AbortSignal,
): Promise<StoreFigures> {
  const figures: StoreFigures = { segments: 0, items: 0, rollups: 0, templates: 0, bytes: 0 }
  const snapshot = await reader.snapshot(signal)
  const check = new StoreCheck(snapshot, findings, figures, progress, signal)
  try {
    const headers = await check.headers()
    await check.segments(headers)
    await check.rollups()
    await check.templatesAndBooks(headers)
  } finally {
    await snapshot.release()
  }
  return figures
}

class StoreCheck {
  readonly #snapshot: StoreSnapshot
  readonly #findings: Findings
  readonly #figures: StoreFigures
  readonly #progress: VerifyProgress
  readonly #signal: AbortSignal | undefined

  constructor(
    snapshot: StoreSnapshot,
    findings: Findings,
    figures: StoreFigures,
    progress: VerifyProgress,
    signal: AbortSignal | undefined,
  ) {
    this.#snapshot = snapshot
    this.#findings = findings
    this.#figures = figures
    this.#progress = progress
    this.#signal = signal
  }

  async headers(): Promise<readonly SegmentHeader[]> {
    const { added, damaged = 0 } = await this.#snapshot.segmentChanges(0, this.#signal)
    if (damaged > 0)
      this.#findings.add({
        what: 'segment headers',
        name: `${damaged} of ${added.length + damaged}`,
        problem: 'a checksum does not fit, or they lie on a damaged page',
        items: 0,
        served: 'these segments are left out and counted in coverage',
      })
    return added
  }

  async segments(headers: readonly SegmentHeader[]): Promise<void> {
    const figures = this.#figures
    for (const header of headers) {
      this.#signal?.throwIfAborted()
      const problem = await checkSegment(header, names =>
        this.#snapshot.segmentParts(header.id, names, this.#signal),
      )
      figures.segments++
      figures.items += header.count
      figures.bytes += header.byteLength
      if (problem !== null)
        this.#findings.add({
          what: 'segment',
          name: `${header.id} (${header.signal} of ${header.tenant}, ${header.count} items)`,
          problem,
          items: header.count,
          served: 'it is left out of answers and counted in coverage',
        })
      this.#progress('segments', figures.segments, headers.length, figures.bytes)
    }
  }

  async rollups(): Promise<void> {
    for (let after = 0; ; ) {
      this.#signal?.throwIfAborted()
      const page = await this.#rollupPage(after)
      if (page === null || page.records.length === 0) return
      for (const record of page.records) this.#checkRollup(record)
      this.#progress('rollups', this.#figures.rollups, null, this.#figures.bytes)
      after = page.last
    }
  }

  async #rollupPage(after: number): Promise<RollupPage | null> {
    try {
      return await this.#snapshot.rollupPage(after, rollupsPerPage)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#findings.add({
        what: 'rollups',
        name: `after number ${after}`,
        problem: error.message,
        items: 0,
        served: 'those that can still be found are used, and coverage says that some cannot',
      })
      return null
    }
  }

  #checkRollup(record: RollupRecord): void {
    this.#figures.rollups++
    this.#figures.bytes += record.bytes.length
    try {
      const block = openBlock(record.bytes)
      for (const kind of kindShapes.keys()) block.section(kind)
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      this.#findings.add({
        what: 'rollup',
        name: `${record.id} (${record.tenant}, ${new Date(record.fromMs).toISOString()})`,
        problem,
        items: 0,
        served: 'what it counts is missing from service figures, and coverage says so',
      })
    }
  }

  async templatesAndBooks(headers: readonly SegmentHeader[]): Promise<void> {
    const held = new Map<string, number>()
    const key = (signal: Signal, tenant: string): string => `${signal} ${tenant}`
    for (const { signal, tenant, count } of headers)
      held.set(key(signal, tenant), (held.get(key(signal, tenant)) ?? 0) + count)
    const tenants = new Set(headers.map(header => header.tenant))
    for (const count of await this.#snapshot.sealedCounts()) {
      tenants.add(count.tenant)
      const { tenant, signal, items, stored, merged, removed } = count
      const found = held.get(key(signal, tenant)) ?? 0
      held.delete(key(signal, tenant))
      if (found !== stored)
        this.#addBooks(signal, tenant, `${stored} items should be stored, ${found} are`, stored - found)
      // A store may have been filled by tests or a migration without counts; only what is counted can be wrong.
      if (items !== stored + merged + removed)
        this.#addBooks(
          signal,
          tenant,
          `${items} items were sealed, ${stored} stored, ${merged} merged and ${removed} removed`,
          0,
        )
    }
    for (const [name, found] of held)
      if (signals.some(signal => name.startsWith(`${signal} `)))
        this.#findings.add({
          what: 'books',
          name,
          problem: `no row counts its ${found} items`,
          items: 0,
          served: 'its segments are served',
        })
    for (const tenant of tenants) await this.#templates(tenant)
  }

  #addBooks(signal: Signal, tenant: string, problem: string, missing: number): void {
    this.#findings.add({
      what: 'books',
      name: `${signal} of ${tenant}`,
      problem,
      items: Math.max(0, missing),
      served: missing > 0 ? 'the missing items are counted in coverage' : 'all segments are served',
    })
  }

  async #templates(tenant: string): Promise<void> {
    for (const template of await this.#snapshot.templates(tenant, this.#signal)) {
      this.#figures.templates++
      if (template.pattern !== damagedPattern) continue
      this.#findings.add({
        what: 'template',
        name: `${template.number} of ${tenant}`,
        problem: 'a checksum does not fit',
        items: 0,
        served: `its lines are served, its pattern shows as ${damagedPattern}`,
      })
    }
  }
}
