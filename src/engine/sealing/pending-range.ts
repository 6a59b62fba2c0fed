/** Consecutive publications on their way into one seal. */
import type { RollupRecord, SealedCount, TemplateRecord } from '../../model/store.ts'
import type { Batch, LineMarks, Signal } from '../../model/telemetry.ts'

export interface PendingEntry {
  readonly position: number
  readonly tenant: string
  readonly signal: Signal
  readonly receivedMs: number
  readonly batch: Batch
  readonly templates: Uint32Array | null
  readonly lines: LineMarks | null
  /** Bytes of the request. */
  readonly size: number
}

/** Entries of one tenant and signal. */
export interface PendingPart {
  readonly tenant: string
  readonly signal: Signal
  readonly entries: PendingEntry[]
}

export class PendingRange {
  /** Last position, given up ones included. */
  to = 0
  /** When the first entry came, milliseconds of a clock that never goes back. */
  sinceMs = 0
  items = 0
  bytes = 0
  readonly #parts = new Map<string, PendingPart>()
  readonly #rollups = new Map<number, readonly RollupRecord[]>()
  readonly #templates = new Map<string, TemplateRecord>()

  get isEmpty(): boolean {
    return this.to === 0
  }

  add(entries: readonly PendingEntry[], to: number, nowMs: number): void {
    if (this.isEmpty) this.sinceMs = nowMs
    this.to = to
    for (const entry of entries) {
      this.items += entry.batch.block.count
      this.bytes += entry.size
      const key = `${entry.signal} ${entry.tenant}`
      const part = this.#parts.get(key)
      if (part === undefined) {
        this.#parts.set(key, { tenant: entry.tenant, signal: entry.signal, entries: [entry] })
      } else part.entries.push(entry)
    }
  }

  /** Everything counted from position `from` on: replaces what was counted from there before. */
  setRollups(from: number, rollups: readonly RollupRecord[]): void {
    this.#rollups.set(from, rollups)
  }

  /** A later record of a template replaces an earlier one. */
  addTemplates(templates: readonly TemplateRecord[]): void {
    for (const template of templates) this.#templates.set(`${template.number} ${template.tenant}`, template)
  }

  parts(): readonly PendingPart[] {
    return [...this.#parts.values()]
  }

  rollups(): readonly RollupRecord[] {
    return [...this.#rollups.values()].flat()
  }

  templates(): readonly TemplateRecord[] {
    return [...this.#templates.values()]
  }

  counts(): readonly SealedCount[] {
    return this.parts().map(({ tenant, signal, entries }) => ({
      tenant,
      signal,
      items: entries.reduce((sum, entry) => sum + entry.batch.block.count, 0),
    }))
  }
}
