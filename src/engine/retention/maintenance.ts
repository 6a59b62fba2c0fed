/**
 * What is done to stored data as it ages: whole segments go when their time is over or their space is needed,
 * small ones are merged, rollups are merged and become coarser. Paced: one small store transaction, then a pause, so that sealing is never held up for long.
 */
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { StoreError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { SealedCount, StoreReader, StoreWriter } from '../../model/store.ts'
import { type Signal, signals } from '../../model/telemetry.ts'
import type { Clock } from '../../model/time.ts'
import { SegmentCompactor } from '../../store/compact-segments.ts'
import { Ballast } from './ballast.ts'
import { RollupCoarsener } from './coarsen-rollups.ts'
import { DiskBudget, type DiskFiles, type DiskUsage } from './disk-budget.ts'

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
  /** Items past their time and not removed yet, as of the last run. */
  readonly rowsBehind: number
  /** Bytes on disk of everything that is stored, and what they may become; null before the first look. */
  readonly diskBytes: number | null
  /** Null without a budget. */
  readonly diskBudgetBytes: number | null
  /** Small segments merged into larger ones since the start. */
  readonly mergedSegments: number
  /** Segments that cannot be read and are left alone. */
  readonly damagedSegments: number
}

export interface MaintenanceParts {
  readonly writer: StoreWriter
  readonly reader: StoreReader
  readonly days: RetentionDays
  readonly files: DiskFiles
  /** Bytes that everything stored may take; null for no bound. */
  readonly diskBudgetBytes: number | null
  readonly clock: Clock
  readonly logger: Logger
  /** Ends a run between two steps. */
  readonly stop: AbortSignal
}

/** Between two looks at what is due. */
export const maintenanceTickMs = 2_000
/** Between two runs: partitions of time here are days, so minutes late is on time. */
const runIntervalMs = 60_000
/** Between two runs while the disk is full: an operator who made room or shortened a time does not wait. */
const fullDiskIntervalMs = 6_000
/** Segments removed in one transaction: 9 ms for full ones of 600 kB, where eight took 23 ms. */
const segmentsPerStep = 4
/** Rollup records removed in one transaction. */
const rollupsPerStep = 64
/** Groups of small segments merged in one step, some ten milliseconds. */
const groupsPerStep = 1
/** Steps of merging in one run: at most a few seconds of work a minute, also for what an import left behind. */
const mergeSteps = 60
/** Rest between two steps, so that a seal waits for one step at most. */
const restMs = 20

const dayMs = 24 * 3_600_000

export class Maintenance {
  readonly #parts: MaintenanceParts
  readonly #store: StoreWriter
  readonly #clock: Clock
  readonly #compactor: SegmentCompactor
  readonly #coarsener: RollupCoarsener
  readonly #budget: DiskBudget
  readonly #ballast: Ballast
  readonly #rowsBehind = { traces: 0, logs: 0, metrics: 0 }
  #usage: DiskUsage | null = null
  #ranMs = 0
  #diskIsFull = false
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
    // A start has enough to do with its replay.
    this.#ranMs = parts.clock.now()
    this.#compactor = new SegmentCompactor(parts.reader, parts.writer)
    this.#coarsener = new RollupCoarsener(parts.writer, parts.logger, () => this.#rest())
    this.#budget = new DiskBudget(parts.writer, parts.reader, parts.files, parts.diskBudgetBytes)
    this.#ballast = new Ballast(parts.files.ballast, parts.files.ballastBytes)
  }

  figures(): MaintenanceFigures {
    return {
      lastSuccessMs: this.#lastSuccessMs,
      consecutiveFailures: this.#failures,
      removedSegments: this.#removedSegments,
      removedItems: this.#removedItems,
      rowsBehind: this.#rowsBehind.traces + this.#rowsBehind.logs + this.#rowsBehind.metrics,
      diskBytes: this.#usage === null ? null : this.#usage.storeBytes + this.#usage.otherBytes,
      diskBudgetBytes: this.#parts.diskBudgetBytes,
      mergedSegments: this.#mergedSegments,
      damagedSegments: this.#damagedSegments,
    }
  }

  /** Does what is due now; called every `maintenanceTickMs`, one call at a time. Never rejects. */
  async tick(): Promise<void> {
    const due = this.#diskIsFull ? fullDiskIntervalMs : runIntervalMs
    if (Math.abs(this.#clock.now() - this.#ranMs) >= due || (await this.#budgetIsExceeded())) await this.run()
  }

  /** One run over everything that is due. Never rejects; a failed run is counted and tried again. */
  async run(): Promise<void> {
    this.#ranMs = this.#clock.now()
    try {
      for (const signal of signals) await this.#removeSegments(signal)
      await this.#removeRollups()
      await this.#keepBudget()
      await this.#reclaim()
      await this.#keepBallast()
      this.#usage = await this.#budget.usage()
      await this.#coarsener.run(this.#clock.now())
      await this.#mergeSegments()
      this.#failures = 0
      this.#diskIsFull = false
      this.#lastSuccessMs = this.#clock.now()
    } catch (error) {
      const { logger, stop } = this.#parts
      if (stop.aborted) return
      this.#failures++
      this.#diskIsFull = isDiskFull(error)
      logger.error({ event: 'retention_failed', err: error, failures: this.#failures }, 'retention failed')
    }
  }

  async #removeSegments(signal: Signal): Promise<void> {
    const beforeMs = this.#clock.now() - this.#parts.days[signal] * dayMs
    this.#rowsBehind[signal] = await this.#store.rowsBehind(signal, beforeMs)
    for (let more = true; more; ) {
      const { segments, counts } = await this.#withRoom(() =>
        this.#store.removeSegments(signal, beforeMs, segmentsPerStep),
      )
      this.#removedSegments += segments
      this.#removedItems += sumItems(counts)
      this.#rowsBehind[signal] = Math.max(0, this.#rowsBehind[signal] - sumItems(counts))
      more = segments === segmentsPerStep
      if (more) await this.#rest()
    }
    this.#rowsBehind[signal] = 0
  }

  async #budgetIsExceeded(): Promise<boolean> {
    try {
      return (await this.#budget.target()) !== null
    } catch {
      // The next run meets the same fault, and counts it.
      return false
    }
  }

  /** What is removed for its space is still within its time, so it is said aloud. */
  async #keepBudget(): Promise<void> {
    const target = await this.#budget.target()
    if (target === null) return
    let segments = 0
    let items = 0
    const next = (): ReturnType<DiskBudget['step']> => this.#withRoom(() => this.#budget.step(target))
    try {
      for (let step = await next(); step !== null; step = await next()) {
        segments += step.segments
        items += step.items
        await this.#rest()
      }
    } finally {
      this.#removedSegments += segments
      this.#removedItems += items
      const { logger, diskBudgetBytes } = this.#parts
      if (segments > 0)
        logger.warn(
          { event: 'retention_budget', segments, items, budget_bytes: diskBudgetBytes },
          'the oldest segments were removed to stay within DATA_DISK_BUDGET_MB',
        )
    }
  }

  /** Removing needs space for its log; on a full disk the ballast gives it. */
  async #withRoom<T>(remove: () => Promise<T>): Promise<T> {
    try {
      return await remove()
    } catch (error) {
      if (!isDiskFull(error) || !this.#ballast.release()) throw error
      this.#parts.logger.warn({ event: 'ballast_released' }, 'the disk is full; the ballast was let go')
      return remove()
    }
  }

  /** Rollups of a signal that is kept for less long answer questions about the others; they go with the last. */
  async #removeRollups(): Promise<void> {
    const { traces, logs, metrics } = this.#parts.days
    const longest = Math.max(traces, logs, metrics)
    const beforeMs = this.#clock.now() - longest * dayMs
    const remove = (): Promise<number> => this.#store.removeRollups(beforeMs, rollupsPerStep)
    while ((await this.#withRoom(remove)) === rollupsPerStep) await this.#rest()
  }

  async #reclaim(): Promise<void> {
    while (await this.#withRoom(() => this.#store.reclaimSpace())) await this.#rest()
  }

  /** Only where the store shares the disk: a server's cannot be relieved from here. */
  async #keepBallast(): Promise<void> {
    const { database } = this.#parts.files
    if (database !== null) await this.#ballast.ensure(dirname(database), () => this.#rest())
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

function isDiskFull(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'disk_full'
}

function sumItems(counts: readonly SealedCount[]): number {
  return counts.reduce((sum, count) => sum + count.items, 0)
}
