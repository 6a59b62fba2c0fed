/** Blocks of rows in the order of their times, stored or not sealed yet, without what indexes rule out. */
import type { Deadline, Scanned, ScanQuery } from '../model/reader.ts'
import type { SegmentHeader } from '../model/store.ts'
import type { TailEntry } from '../model/tail.ts'
import type { Block, Signal } from '../model/telemetry.ts'
import type { TimeRange } from '../model/time.ts'
import type { AttributeProbe } from '../store/segment/attribute-filter.ts'
import type { DecodedColumns, RowGroup, SegmentLayout } from '../store/segment/block-codec.ts'
import { IdTable } from '../store/segment/id-table.ts'
import { type WantedSpans, wantedTraces } from '../store/segment/picked-spans.ts'
import { IndexPruning, rowsOfFrames } from './index-pruning.ts'
import type { DecodedEntry } from './reader-caches.ts'
import { ScanOrder } from './scan-order.ts'
import type { SegmentAccess } from './segment-access.ts'
import type { HeaderList } from './segment-headers.ts'
import { touches } from './time-overlap.ts'
import type { UnsealedItems } from './unsealed-items.ts'

export interface ScannedParts {
  readonly headers: Readonly<Record<Signal, HeaderList>>
  readonly access: SegmentAccess
  readonly unsealed: UnsealedItems
  readonly deadline: Deadline
}

/** A block that can be loaded, and what is known of it before. */
interface Source {
  readonly minTimeMs: number
  readonly maxTimeMs: number
  /** What it consists of, or rows. Null: nothing to see in it, or damaged. */
  load(): Promise<Scanned<Block> | readonly Source[] | null>
}

interface GroupRead {
  readonly header: SegmentHeader
  readonly layout: SegmentLayout
  readonly group: RowGroup
  readonly asked: Asked
  /** All if not given. */
  readonly rows: readonly number[] | undefined
}

interface Asked {
  readonly range: TimeRange
  readonly pruning: IndexPruning | undefined
  readonly wanted: WantedSpans | undefined
}

export class RowScan {
  readonly #parts: ScannedParts

  constructor(parts: ScannedParts) {
    this.#parts = parts
  }

  async *scan(signal: Signal, query: ScanQuery): AsyncGenerator<Scanned<Block>> {
    const asked = askedOf(query)
    const { deadline } = this.#parts
    const sources: Source[] = []
    for (const header of this.#parts.headers[signal])
      if (touches(header, query.range) && mayHoldService(header, query.services))
        sources.push(this.#segmentSource(header, asked))
    for (const { decoded, entry } of this.#parts.unsealed.blocks(signal, mayTouch(query.range)))
      if (touches(decoded, query.range)) sources.push(tailSource(decoded, entry, query.services))
    const order = new ScanOrder(sources, query.order !== 'oldest_first')
    for (let source = order.next(); source !== undefined; source = order.next()) {
      deadline.check()
      const loaded = await source.load()
      if (loaded === null) continue
      if ('block' in loaded) yield loaded
      else order.add(loaded)
    }
  }

  /** Groups of rows, those that may hold what was asked for. */
  #segmentSource(header: SegmentHeader, asked: Asked): Source {
    const { range, pruning } = asked
    return {
      minTimeMs: header.minTimeMs,
      maxTimeMs: header.maxTimeMs,
      load: async () => {
        const frames = pruning === undefined ? undefined : await this.#frames(header, pruning)
        const layout = frames === null ? null : await this.#parts.access.layout(header)
        if (layout === null) return null
        const sources: Source[] = []
        for (const group of layout.groups) {
          const minTimeMs = Math.max(header.minTimeMs, group.minTimeMs)
          const maxTimeMs = Math.min(header.maxTimeMs, group.maxTimeMs)
          if (!touches({ minTimeMs, maxTimeMs }, range)) continue
          const rows = frames ? rowsOfFrames(frames, group.firstRow, group.count) : undefined
          if (rows?.length === 0) continue
          sources.push({
            minTimeMs,
            maxTimeMs,
            load: () => this.#group({ header, layout, group, asked, rows }),
          })
        }
        return sources
      },
    }
  }

  async #group({ header, layout, group, asked, rows }: GroupRead): Promise<Scanned<Block> | null> {
    const { range, pruning, wanted } = asked
    const { access } = this.#parts
    const columns =
      wanted !== undefined && pruning === undefined && liesIn(group, range)
        ? await access.spans(header, layout, group, wanted)
        : await access.columns(header, layout, group)
    if (columns === null) return null
    const candidates = await this.#candidateRows(header, columns, pruning, rows)
    if (candidates?.length === 0) return null
    const words = pruning?.words
    return {
      block: columns.block,
      records: some => access.records(header, columns, some),
      ...(words === undefined || words === null
        ? {}
        : { recordsWith: some => access.recordsWith(header, columns, some, words) }),
      receivedMs: header.maxReceivedMs,
      ...(candidates === undefined ? {} : { candidateRows: candidates }),
      ...(columns.picked === undefined ? {} : { pickedFrom: group.count }),
    }
  }

  /** Of `rows` (all if not given) those whose attributes allow it. */
  async #candidateRows(
    header: SegmentHeader,
    columns: DecodedColumns,
    pruning: IndexPruning | undefined,
    rows: readonly number[] | undefined,
  ): Promise<readonly number[] | undefined> {
    if (pruning === undefined || pruning.attributes.length === 0) return rows
    const rowsWith = new Map<AttributeProbe, Uint8Array>()
    for (const probe of pruning.attributes) {
      this.#parts.deadline.check()
      const flags = await this.#parts.access.rowsWith(header, columns, probe)
      if (flags === null) return []
      rowsWith.set(probe, flags)
    }
    const flags = pruning.rows(columns.block.count, rowsWith)
    return (rows ?? [...flags.keys()]).filter(row => flags[row] === 1)
  }

  /** A flag for each frame that may hold a row that is asked for; undefined for all, null for none. */
  async #frames(header: SegmentHeader, pruning: IndexPruning): Promise<Uint8Array | undefined | null> {
    const traces = pruning.hasTraces ? await this.#parts.access.traceFilter(header) : null
    if (pruning.hasTraces && traces === null) return null
    const attributes =
      pruning.attributes.length === 0
        ? new Map()
        : await this.#parts.access.mayHold(header, pruning.attributes)
    if (attributes === null) return null
    // Kept for all segments, while the words themselves are read anew for most of them.
    const filter = pruning.terms.length === 0 ? null : await this.#parts.access.prefixFilter(header)
    const asked = { filter, traces, attributes }
    if ((pruning.terms.length > 0 && filter === null) || !pruning.mayHold(asked)) return null
    if (filter === null) return undefined
    const possible = pruning.terms.filter(term => filter.mayHold(term.bytes))
    const terms = await this.#parts.access.termFrames(header, possible)
    if (terms === null) return null
    const frames = pruning.frames(asked, terms.found, terms.frameCount)
    return frames.includes(1) ? frames : null
  }
}

function askedOf({ range, where, wanted }: ScanQuery): Asked {
  return {
    range,
    pruning: where === undefined ? undefined : new IndexPruning(where),
    wanted:
      wanted === undefined || 'services' in wanted
        ? wanted
        : wantedTraces(wanted.traceIds, new IdTable(16, wanted.traceIds.length / 16)),
  }
}

/** Whether all rows of a group are known to. */
function liesIn({ minTimeMs, maxTimeMs }: RowGroup, { fromMs, toMs }: TimeRange): boolean {
  return minTimeMs >= fromMs && maxTimeMs < toMs
}

function tailSource(
  decoded: DecodedEntry,
  entry: TailEntry,
  services: readonly string[] | undefined,
): Source {
  const { block, records } = decoded.batch
  const wanted = services === undefined || block.resources.some(one => services.includes(one.service))
  const scanned = { block, records: async () => records, receivedMs: entry.receivedMs }
  return { ...decoded, load: async () => (wanted ? scanned : null) }
}

/** Tells unsealed requests that may have items of the range, before they are decoded. */
export function mayTouch(range: TimeRange): (entry: TailEntry) => boolean {
  return ({ index }) => index === undefined || touches(index, range)
}

export function mayHoldService(header: SegmentHeader, services: readonly string[] | undefined): boolean {
  const held = header.services
  return services === undefined || held === null || services.some(service => held.includes(service))
}
