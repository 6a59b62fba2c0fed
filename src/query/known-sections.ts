/** Sections of rollup records, decoded once and kept within the reader's budget. */
import { KnownCells, readSection, type SectionSource } from '../graph/rollups/known-cells.ts'
import { SeriesNames } from '../graph/rollups/series-names.ts'
import type { RollupRecord } from '../model/store.ts'
import type { ReaderCaches } from './reader-caches.ts'

/**
 * Series names a tenant may have before they are learnt anew: all that its bounds allow for, and some that come and go
 * with each release. 15 MB, which the cache of names has room for: what it does not take is learnt anew for every question.
 */
const maxNames = 100_000

/** Kept where a record has nothing of a kind. */
const nothing = new KnownCells(
  {
    first: new Uint32Array(1),
    window: new Uint32Array(0),
    count: new Int8Array(0),
    errors: new Int8Array(0),
    sum: new Int8Array(0),
    self: new Int8Array(0),
    paired: new Int8Array(0),
    max: new Int8Array(0),
    lastMs: new Int8Array(0),
    bucketFirst: new Uint32Array(1),
    buckets: new Int8Array(0),
    bucketCounts: new Int8Array(0),
  },
  new Uint32Array(0),
  1,
)

/** A tenant's names; `generation` tells them from all others, those that were forgotten included. */
export interface TenantNames {
  readonly names: SeriesNames
  readonly generation: number
}

export class KnownSections implements SectionSource {
  readonly names: SeriesNames
  readonly #sections: ReaderCaches['sections']
  readonly #prefix: string

  constructor(tenant: string, caches: Pick<ReaderCaches, 'sections' | 'names' | 'namesGeneration'>) {
    const known = caches.names.get(tenant)
    const kept =
      known !== undefined && known.names.size <= maxNames
        ? { ...known }
        : { names: new SeriesNames(), generation: ++caches.namesGeneration }
    // Set again as it has grown; another object, because the cache does not measure one again that it has.
    caches.names.set(tenant, kept)
    this.names = kept.names
    this.#sections = caches.sections
    this.#prefix = `${tenant} ${kept.generation}`
  }

  has(id: string, kind: number): boolean {
    return this.#sections.has(this.#key(id, kind))
  }

  /** Undefined also where it is not at hand. */
  kept(id: string, kind: number): KnownCells | undefined {
    return this.#sections.get(this.#key(id, kind))
  }

  section(record: RollupRecord, kind: number): KnownCells | undefined {
    const key = this.#key(record.id, kind)
    const known = this.#sections.get(key) ?? readSection(this.names, record, kind) ?? nothing
    if (!this.#sections.has(key)) this.#sections.set(key, known)
    return known === nothing ? undefined : known
  }

  #key(id: string, kind: number): string {
    return `${this.#prefix} ${id} ${kind}`
  }
}
