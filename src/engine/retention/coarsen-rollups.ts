/**
 * Rollup records become fewer as they age, and their windows wider. The thread also counts and seals, so merging is
 * done in pieces with rests between them, and what it holds is bounded whatever the records are like.
 */
import { StoreError } from '../../errors.ts'
import { groupsOf, mergeGroup, worthMerging } from '../../graph/rollups/merge.ts'
import { sectionsOf } from '../../graph/rollups/merge-slices.ts'
import { openOnce } from '../../graph/rollups/open-once.ts'
import type { Pieces } from '../../graph/rollups/pieces.ts'
import type { Logger } from '../../logger.ts'
import type { RollupLimit, RollupRecord, StoreWriter } from '../../model/store.ts'

/** Records read at once: of an import one may have most of a megabyte, and so may what it becomes. */
const usualPage: RollupLimit = { records: 64, bytes: 8 * 2 ** 20 }
/** Work without a rest, some ten milliseconds. */
const workPerPiece = 2 ** 18
/** Damaged rollups remembered, so that each is logged once. */
const maxDamagedRollups = 10_000

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Ten-second windows are kept so long after receipt. */
const fineMs = 6 * hourMs

interface Rule {
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly stretchMs: number
  readonly afterMs: number
}

/**
 * Each rule merges records of one width received in one stretch of time into records of the next, once the
 * whole stretch is older than `afterMs`. The first two only make fewer records of many small ones.
 */
const rules: readonly Rule[] = [
  { fromSeconds: 10, toSeconds: 10, stretchMs: minuteMs, afterMs: minuteMs },
  { fromSeconds: 10, toSeconds: 10, stretchMs: 20 * minuteMs, afterMs: 20 * minuteMs },
  { fromSeconds: 10, toSeconds: 60, stretchMs: hourMs, afterMs: fineMs },
  { fromSeconds: 60, toSeconds: 600, stretchMs: 6 * hourMs, afterMs: 3 * dayMs },
]

export class RollupCoarsener {
  readonly #store: StoreWriter
  readonly #logger: Logger
  readonly #rest: () => Promise<void>
  readonly #page: RollupLimit
  /** Per rule: stretches before this time are done; null before the first run of this process. */
  readonly #doneMs: (number | null)[] = rules.map(() => null)
  readonly #damaged = new Set<string>()
  #workSinceRest = 0

  /** `rest` is waited for between pieces of work; where it rejects, the work ends. `page` is what is read at once. */
  constructor(store: StoreWriter, logger: Logger, rest: () => Promise<void>, page: RollupLimit = usualPage) {
    this.#page = page
    this.#store = store
    this.#logger = logger
    this.#rest = rest
  }

  /** Does what is due now. Rejects with StoreError. */
  async run(nowMs: number): Promise<void> {
    for (const [index, rule] of rules.entries()) {
      const untilMs = Math.floor((nowMs - rule.afterMs) / rule.stretchMs) * rule.stretchMs
      // An earlier process may have left anything to widen; what is only to be merged is widened soon anyway.
      await this.#follow(rule, this.#doneMs[index] ?? (widens(rule) ? 0 : nowMs - fineMs), untilMs)
      this.#doneMs[index] = untilMs
    }
  }

  async #follow(rule: Rule, sinceMs: number, untilMs: number): Promise<void> {
    let fromMs = sinceMs
    while (fromMs < untilMs) {
      const records = await this.#store.rollupsReceived(rule.fromSeconds, fromMs, untilMs, this.#page)
      const first = records[0]
      if (first === undefined) return
      const endMs = (Math.floor(first.receivedMs / rule.stretchMs) + 1) * rule.stretchMs
      const stretch = records.filter(record => record.receivedMs < endMs)
      const merged = await this.#merge(stretch, rule)
      fromMs = isFull(this.#page, stretch) ? nextPage(rule, stretch, { fromMs, endMs, merged }) : endMs
      await this.#rest()
    }
  }

  /** Returns how many records it replaced; damaged ones stay, for `verify` and coverage to name. */
  async #merge(records: readonly RollupRecord[], rule: Rule): Promise<number> {
    let replaced = 0
    const sound = records.filter(record => this.#isSound(record, () => openOnce(record)))
    for (const all of groupsOf(sound, rule.toSeconds)) {
      const { group, add } = await this.#mergeSound(all, rule)
      if (group.length === 0) continue
      await this.#store.replaceRollups({ remove: group.map(record => record.id), add })
      replaced += group.length
    }
    return replaced
  }

  /** What becomes of a group, without those of it that turn out to be damaged inside. */
  async #mergeSound(all: readonly RollupRecord[], rule: Rule): Promise<Merged> {
    try {
      const group = widens(rule) ? all : await this.#paced(worthMerging(all))
      if (group.length === 0) return nothing
      return { group, add: await this.#paced(mergeGroup(group, rule.toSeconds)) }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      const sound = all.filter(record => this.#isSound(record, () => [...sectionsOf(record)]))
      if (sound.length === all.length) throw error
      return sound.length === 0 ? nothing : this.#mergeSound(sound, rule)
    }
  }

  async #paced<T>(pieces: Pieces<T>): Promise<T> {
    for (;;) {
      const { done, value } = pieces.next()
      if (done === true) return value
      this.#workSinceRest += value
      if (this.#workSinceRest < workPerPiece) continue
      this.#workSinceRest = 0
      await this.#rest()
    }
  }

  #isSound(record: RollupRecord, read: () => unknown): boolean {
    try {
      read()
      return true
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      if (!this.#damaged.has(record.id)) {
        if (this.#damaged.size < maxDamagedRollups) this.#damaged.add(record.id)
        this.#logger.error({ event: 'rollup_damaged', rollup: record.id, err: error }, 'left as it is')
      }
      return false
    }
  }
}

interface Merged {
  readonly group: readonly RollupRecord[]
  readonly add: readonly RollupRecord[]
}

const nothing: Merged = { group: [], add: [] }

function widens({ fromSeconds, toSeconds }: Rule): boolean {
  return toSeconds > fromSeconds
}

function isFull(page: RollupLimit, records: readonly RollupRecord[]): boolean {
  const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0)
  return records.length >= page.records || bytes >= page.bytes
}

/** Where the rest of a long stretch begins, after a page of it. */
function nextPage(
  rule: Rule,
  records: readonly RollupRecord[],
  { fromMs, endMs, merged }: { readonly fromMs: number; readonly endMs: number; readonly merged: number },
): number {
  // Widened records are found no more; a page of damaged ones would be, for ever.
  if (widens(rule)) return merged > 0 ? fromMs : endMs
  // Merged ones would be found again. They were received when the latest of theirs was.
  return Math.min(endMs, (records.at(-1)?.receivedMs ?? endMs) + 1)
}
