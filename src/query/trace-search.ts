/** Traces by their ids, whole or as they begin, stored or not sealed yet. */
import pLimit from 'p-limit'
import type { TraceRows } from '../model/reader.ts'
import type { SegmentHeader } from '../model/store.ts'
import type { TailEntry } from '../model/tail.ts'
import type { Block, Signal } from '../model/telemetry.ts'
import type { RowGroup, SegmentLayout } from '../store/segment/block-codec.ts'
import { type TraceFilter, traceKey } from '../store/segment/trace-filter.ts'
import {
  allGroups,
  hasGroup,
  mayHoldPrefix,
  prefixOf,
  type TraceIndex,
  traceGroups,
} from '../store/segment/trace-index.ts'
import type { ReaderCaches } from './reader-caches.ts'
import type { ScannedParts } from './row-scan.ts'
import { matchingRows, mergeTraceParts, type TracePart } from './trace-rows.ts'

/** Index parts read at once; on SQLite they come one after the other, on Postgres they overlap. */
const fanOut = 8

interface TraceLookUp {
  readonly mayHold: (filter: TraceFilter) => boolean
  readonly groupsOf: (index: TraceIndex) => number
}

export interface TraceSearchParts extends ScannedParts {
  readonly caches: ReaderCaches
}

export class TraceSearch {
  readonly #parts: TraceSearchParts

  constructor(parts: TraceSearchParts) {
    this.#parts = parts
  }

  async find(prefix: string, limit: number): Promise<readonly string[]> {
    const wanted = prefix.toLowerCase()
    if (!/^[0-9a-f]{8,32}$/.test(wanted)) return []
    const first = prefixOf(Buffer.from(wanted.slice(0, 8), 'hex'), 0)
    const found = new Set<string>()
    const collect = (block: Block): void => {
      if (block.signal !== 'traces') return
      let last = ''
      for (let row = 0; row < block.count; row++) {
        if (prefixOf(block.traceId, row * 16) !== first) continue
        const id = Buffer.from(block.traceId.subarray(row * 16, row * 16 + 16)).toString('hex')
        if (id !== last && id.startsWith(wanted)) found.add(id)
        last = id
      }
    }
    const segments = await this.#segmentsWhere('traces', {
      mayHold: filter => filter.mayHoldPrefix(first),
      groupsOf: index => (mayHoldPrefix(index, first) ? allGroups : 0),
    })
    for (const { header, groups } of segments)
      for await (const { layout, group } of this.#groups(header, groups)) {
        const columns = await this.#parts.access.columns(header, layout, group)
        if (columns !== null) collect(columns.block)
      }
    for (const { decoded } of this.#parts.unsealed.blocks('traces')) collect(decoded.batch.block)
    return [...found].sort().slice(0, limit)
  }

  async trace(traceId: string): Promise<TraceRows | null> {
    const wanted = traceId.toLowerCase()
    if (!/^[0-9a-f]{32}$/.test(wanted)) return null
    const id = new Uint8Array(Buffer.from(wanted, 'hex'))
    const parts: TracePart[] = []
    const key = traceKey(id)
    const { hash } = key
    const segments = await this.#segmentsWhere('traces', {
      mayHold: filter => filter.mayHold(key),
      groupsOf: index => traceGroups(index, hash),
    })
    for (const { header, groups } of segments)
      for await (const { layout, group } of this.#groups(header, groups)) {
        const found = await this.#parts.access.traceRows(header, layout, group, id)
        if (found === null || found.columns.block.signal !== 'traces') continue
        const { columns, rows } = found
        const records = await this.#parts.access.records(header, columns, rows)
        parts.push({ block: found.columns.block, rows, records })
      }
    const mayHold = ({ index }: TailEntry): boolean => index?.traces?.includes(hash) ?? true
    for (const { decoded } of this.#parts.unsealed.blocks('traces', mayHold)) {
      const { block, records } = decoded.batch
      if (block.signal !== 'traces') continue
      const rows = matchingRows(block, id)
      if (rows.length > 0) parts.push({ block, rows, records })
    }
    return parts.length === 0 ? null : mergeTraceParts(wanted, parts)
  }

  /** The groups with these bits. */
  async *#groups(
    header: SegmentHeader,
    bits: number,
  ): AsyncGenerator<{ readonly layout: SegmentLayout; readonly group: RowGroup }> {
    const layout = await this.#parts.access.layout(header)
    for (const group of layout?.groups ?? []) {
      if (layout === null || !hasGroup(bits, group.number)) continue
      this.#parts.deadline.check()
      yield { layout, group }
    }
  }

  /** Segments in which `groupsOf` finds bits of groups, and these; asked only where `mayHold` lets it. */
  async #segmentsWhere(
    signal: Signal,
    { mayHold, groupsOf }: TraceLookUp,
  ): Promise<readonly { readonly header: SegmentHeader; readonly groups: number }[]> {
    const { caches, deadline } = this.#parts
    const limit = pLimit(fanOut)
    const found: { readonly header: SegmentHeader; readonly groups: number }[] = []
    const look = async (header: SegmentHeader): Promise<void> => {
      deadline.check()
      const filter = await this.#parts.access.traceFilter(header)
      if (filter === null || !mayHold(filter)) return
      const index = await this.#parts.access.traceIndex(header)
      const groups = index === null ? 0 : groupsOf(index)
      if (groups !== 0) found.push({ header, groups })
    }
    const looks: Promise<void>[] = []
    for (const header of this.#parts.headers[signal]) {
      // All of them are asked in the same order each time: telling the cache so would order it as it is.
      const known = caches.traceFilters.peek(header.id)
      if (known === undefined || mayHold(known)) looks.push(limit(() => look(header)))
    }
    await Promise.all(looks)
    return found.sort(({ header: a }, { header: b }) => a.minTimeMs - b.minTimeMs || (a.id < b.id ? -1 : 1))
  }
}
