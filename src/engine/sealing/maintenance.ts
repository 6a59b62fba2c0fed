/**
 * What is done to stored data as it ages: whole segments go when their time is over, small ones are merged,
 * rollups are merged and become coarser. Paced: one small store transaction, then a pause, so that sealing is never held up for long.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { mergeRollups } from '../../graph/rollups/merge.ts'
import type { Logger } from '../../logger.ts'
import type { RollupRecord, SealedCount, StoreReader, StoreWriter } from '../../model/store.ts'
import { type Signal, signals } from '../../model/telemetry.ts'
import type { Clock } from '../../model/time.ts'
import { SegmentCompactor } from '../../store/compact-segments.ts'

export interface RetentionDays {
  readonly traces: number
  readonly logs: number
  readonly metrics: number
}

export interface MaintenanceFigures {
  /** Milliseconds since the epoch; 0 before the first. */
  readonly lastSuccessMs: number
  readonly consecutiveFailures: number
  readonly removedSegments: number
  /** Items removed since the start. */
  readonly removedItems: number
  /** Small segments merged into larger ones since the start. */
  readonly mergedSegments: number
  /** Segments that cannot be read and are left alone. */
  readonly damagedSegments: number
}

export interface MaintenanceParts {
  readonly writer: StoreWriter
  readonly reader: StoreReader
  readonly days: RetentionDays
  readonly clock: Clock
  readonly logger: Logger
  /** Ends a run between two steps. */
  readonly stop: AbortSignal
}

/** Between two runs: partitions of time here are days, so minutes late is on time. */
export const maintenanceIntervalMs = 60_000

/** Segments removed in one transaction: about 10 MB. */
const segmentsPerStep = 8
/** Rollup records handled in one transaction: a few milliseconds of merging each. */
const rollupsPerStep = 64
/** Groups of small segments merged in one step, some ten milliseconds. */
const groupsPerStep = 1
/** Steps of merging in one run: at most a few seconds of work a minute, also for what an import left behind. */
const mergeSteps = 60
/** Rest between two steps, so that a seal waits for one step at most. */
const restMs = 20

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Ten-second windows are kept so long after receipt. */
const fineMs = 6 * hourMs

/**
 * Each rule merges records of one width received in one stretch of time into records of the next, once the
 * whole stretch is older than `afterMs`. The first two only make fewer records of many small ones.
 */
const rules: readonly {
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly stretchMs: number
  readonly afterMs: number
}[] = [
  { fromSeconds: 10, toSeconds: 10, stretchMs: minuteMs, afterMs: minuteMs },
  { fromSeconds: 10, toSeconds: 10, stretchMs: 20 * minuteMs, afterMs: 20 * minuteMs },
  { fromSeconds: 10, toSeconds: 60, stretchMs: hourMs, afterMs: fineMs },
  { fromSeconds: 60, toSeconds: 600, stretchMs: 6 * hourMs, afterMs: 3 * dayMs },
]

export class Maintenance {
  readonly #parts: MaintenanceParts
  readonly #store: StoreWriter
  readonly #clock: Clock
  readonly #compactor: SegmentCompactor
  /** Per rule: stretches before this time are done; null before the first run of this process. */
  readonly #doneMs: (number | null)[] = rules.map(() => null)
  #lastSuccessMs = 0
  #failures = 0
  #removedSegments = 0
  #removedItems = 0
  #mergedSegments = 0
  #damagedSegments = 0

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
    this.#store = parts.writer
    this.#clock = parts.clock
    this.#compactor = new SegmentCompactor(parts.reader, parts.writer)
  }

  figures(): MaintenanceFigures {
    return {
      lastSuccessMs: this.#lastSuccessMs,
      consecutiveFailures: this.#failures,
      removedSegments: this.#removedSegments,
      removedItems: this.#removedItems,
      mergedSegments: this.#mergedSegments,
      damagedSegments: this.#damagedSegments,
    }
  }

  /** One run over everything that is due. Never rejects; a failed run is counted and tried again. */
  async run(): Promise<void> {
    try {
      for (const signal of signals) await this.#removeSegments(signal)
      await this.#removeRollups()
      await this.#reclaim()
      for (const index of rules.keys()) await this.#coarsen(index)
      await this.#mergeSegments()
      this.#failures = 0
      this.#lastSuccessMs = this.#clock.now()
    } catch (error) {
      const { logger, stop } = this.#parts
      if (stop.aborted) return
      this.#failures++
      logger.error({ event: 'retention_failed', err: error, failures: this.#failures }, 'retention failed')
    }
  }

  async #removeSegments(signal: Signal): Promise<void> {
    const beforeMs = this.#clock.now() - this.#parts.days[signal] * dayMs
    for (let more = true; more; ) {
      const { segments, counts } = await this.#store.removeSegments(signal, beforeMs, segmentsPerStep)
      this.#removedSegments += segments
      this.#removedItems += sumItems(counts)
      more = segments === segmentsPerStep
      if (more) await this.#rest()
    }
  }

  /** Rollups of a signal that is kept for less long answer questions about the others; they go with the last. */
  async #removeRollups(): Promise<void> {
    const { traces, logs, metrics } = this.#parts.days
    const longest = Math.max(traces, logs, metrics)
    const beforeMs = this.#clock.now() - longest * dayMs
    while ((await this.#store.removeRollups(beforeMs, rollupsPerStep)) === rollupsPerStep) await this.#rest()
  }

  async #reclaim(): Promise<void> {
    while (await this.#store.reclaimSpace()) await this.#rest()
  }

  async #coarsen(index: number): Promise<void> {
    const rule = rules[index]
    if (rule === undefined) return
    const now = this.#clock.now()
    const untilMs = Math.floor((now - rule.afterMs) / rule.stretchMs) * rule.stretchMs
    const widens = rule.toSeconds > rule.fromSeconds
    // An earlier process may have left anything to widen; what is only to be merged is widened soon anyway.
    let fromMs = this.#doneMs[index] ?? (widens ? 0 : now - fineMs)
    while (fromMs < untilMs) {
      const records = await this.#store.rollupsReceived(rule.fromSeconds, fromMs, untilMs, rollupsPerStep)
      const first = records[0]
      if (first === undefined) break
      const endMs = (Math.floor(first.receivedMs / rule.stretchMs) + 1) * rule.stretchMs
      const stretch = records.filter(record => record.receivedMs < endMs)
      await this.#merge(stretch, rule.fromSeconds, rule.toSeconds)
      // Widened records are found no more, so the rest of a long stretch comes next; merged ones would be.
      const more = stretch.length === rollupsPerStep && widens
      if (!more) fromMs = endMs
      await this.#rest()
    }
    this.#doneMs[index] = untilMs
  }

  async #merge(records: readonly RollupRecord[], fromSeconds: number, toSeconds: number): Promise<void> {
    const tenants = new Map<string, RollupRecord[]>()
    for (const record of records) tenants.set(record.tenant, [...(tenants.get(record.tenant) ?? []), record])
    for (const group of tenants.values()) {
      if (group.length < 2 && fromSeconds === toSeconds) continue
      await this.#store.replaceRollups({
        remove: group.map(record => record.id),
        add: mergeRollups(group, toSeconds),
      })
    }
  }

  async #mergeSegments(): Promise<void> {
    for (let step = 0; step < mergeSteps; step++) {
      const { merged, damaged } = await this.#compactor.run(
        this.#clock.now(),
        groupsPerStep,
        this.#parts.stop,
      )
      this.#mergedSegments += merged
      this.#damagedSegments = damaged
      if (merged === 0) return
      await this.#rest()
    }
  }

  async #rest(): Promise<void> {
    await pause(restMs, undefined, { signal: this.#parts.stop })
  }
}

function sumItems(counts: readonly SealedCount[]): number {
  return counts.reduce((sum, count) => sum + count.items, 0)
}
