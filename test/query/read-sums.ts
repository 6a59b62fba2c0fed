/** Sums as one reader takes them, and gives them back when it is done. */
import type { RollupTotals, TotalKind } from '../../src/model/rollup.ts'
import type { RollupRecord } from '../../src/model/store.ts'
import type { TimeRange } from '../../src/model/time.ts'
import { KnownSections } from '../../src/query/known-sections.ts'
import type { ReaderCaches } from '../../src/query/reader-caches.ts'
import { type KeptTotals, readTotals, type TotalsSource } from '../../src/query/rollup-totals.ts'

export interface SumsReader {
  read(range: TimeRange, kinds: readonly TotalKind[]): Promise<RollupTotals>
  /** Ranges of which records were read. */
  readonly loaded: readonly TimeRange[]
  release(): void
}

export function openSums(
  caches: Pick<ReaderCaches, 'sections' | 'names' | 'namesGeneration' | 'totals'>,
  records: readonly RollupRecord[],
): SumsReader {
  const loaded: TimeRange[] = []
  const taken: KeptTotals[] = []
  const inRange = (range: TimeRange): readonly RollupRecord[] =>
    records.filter(record => record.fromMs < range.toMs && record.toMs > range.fromMs)
  const source: Omit<TotalsSource, 'heads' | 'free'> = {
    tenant: 't',
    sections: new KnownSections('t', caches),
    taken,
    take: kept => void caches.totals.delete(kept),
    load: async part => {
      loaded.push(part)
      return inRange(part)
    },
  }
  return {
    loaded,
    async read(range, kinds) {
      const of = { ...source, free: caches.totals.values(), heads: inRange(range) }
      const totals = await readTotals(of, range, 10, kinds)
      if (totals === null) throw new Error('nothing was read')
      return totals
    },
    release() {
      for (const kept of taken.splice(0)) caches.totals.set(kept, kept)
    },
  }
}
