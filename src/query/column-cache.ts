/**
 * Decoded columns between calls. A diagnosis reads some hundreds of groups, in the same order each time: where they do not
 * all fit, a cache that gives up what was used least lately has given up each of them before it is asked for again.
 */
import { LRUCache } from 'lru-cache'
import type { DecodedColumns } from '../store/segment/block-codec.ts'

/** Calls for which columns are kept against others: an agent looks at a trace or two between two questions. */
const keptCalls = 4

interface Kept {
  readonly columns: DecodedColumns
  /** Number of the call that used them last. */
  call: number
}

export class ColumnCache {
  readonly #kept: LRUCache<string, Kept>
  #call = 0

  constructor(maxBytes: number) {
    this.#kept = new LRUCache({ maxSize: Math.floor(maxBytes) })
  }

  get maxSize(): number {
    return this.#kept.maxSize
  }

  get calculatedSize(): number {
    return this.#kept.calculatedSize
  }

  /** Gives up what was used least lately. */
  pop(): unknown {
    return this.#kept.pop()
  }

  /** To be told where a call begins. */
  begin(): void {
    this.#call++
  }

  get(key: string): DecodedColumns | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    kept.call = this.#call
    return kept.columns
  }

  /** Keeps them if they fit, or take the place of some that no call used lately. `bytes` are what they take in memory. */
  set(key: string, columns: DecodedColumns, bytes: number): void {
    if (this.#kept.calculatedSize + bytes > this.#kept.maxSize && this.#isUsed()) return
    this.#kept.set(key, { columns, call: this.#call }, { size: 128 + bytes })
  }

  /** Whether what was used least lately was used lately. */
  #isUsed(): boolean {
    const [oldest] = this.#kept.rvalues()
    return oldest !== undefined && oldest.call > this.#call - keptCalls
  }
}
