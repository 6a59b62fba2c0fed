/** Columns of a set of traces, and how they are filled from blocks. */
import type { SpanBlock } from '../../model/telemetry.ts'
import type { Names } from './names.ts'
import { type PickedRows, type TraceGroups, viewOf } from './trace-groups.ts'

/** Sampling weight of a span, 1 if its trace state says nothing. */
export type WeightOf = (block: SpanBlock, row: number) => number

/** What a set is made of, a value per span, but `first` and `weight` per trace. */
export interface Columns {
  /** Spans of trace `t` are `[first[t], first[t + 1])`. */
  readonly first: Uint32Array
  /** How many traces of the source this one stands for; 1 without sampling. */
  readonly weight: Float64Array
  /** Indices into the shared `Names`, as the next four are. */
  readonly service: Uint32Array
  readonly name: Uint32Array
  readonly peer: Uint32Array
  readonly instance: Uint32Array
  readonly version: Uint32Array
  readonly kind: Uint8Array
  /** Number of span links, at most 255. */
  readonly links: Uint8Array
  readonly failed: Uint8Array
  /** 1 for a span that says how it ended, by a status or a status code. */
  readonly tells: Uint8Array
  /** `error.type`, or the type of an exception it recorded; index into `Names`. */
  readonly errorType: Uint32Array
  readonly startMs: Float64Array
  readonly endMs: Float64Array
  /** By how much each span was moved to bring its clock together with its callers', milliseconds. */
  readonly movedMs: Float64Array
  /** Row of the parent in this set, -1 for none. */
  readonly parent: Int32Array
  /** 1 for a span that names a parent which was not seen. */
  readonly orphan: Uint8Array
  /** Row of the span with which the service was entered; itself for an entry. */
  readonly entry: Uint32Array
  /** Trace of a row. */
  readonly trace: Uint32Array
  /** Span ids as two halves, to join logs. */
  readonly spanHi: Uint32Array
  readonly spanLo: Uint32Array
}

/** Zeros. */
export function allocateColumns(spans: number, traces: number): Columns {
  return {
    first: new Uint32Array(traces + 1),
    weight: new Float64Array(traces),
    service: new Uint32Array(spans),
    name: new Uint32Array(spans),
    peer: new Uint32Array(spans),
    instance: new Uint32Array(spans),
    version: new Uint32Array(spans),
    kind: new Uint8Array(spans),
    links: new Uint8Array(spans),
    failed: new Uint8Array(spans),
    tells: new Uint8Array(spans),
    errorType: new Uint32Array(spans),
    startMs: new Float64Array(spans),
    endMs: new Float64Array(spans),
    movedMs: new Float64Array(spans),
    parent: new Int32Array(spans),
    orphan: new Uint8Array(spans),
    entry: new Uint32Array(spans),
    trace: new Uint32Array(spans),
    spanHi: new Uint32Array(spans),
    spanLo: new Uint32Array(spans),
  }
}

/** Copies spans of blocks into their columns. */
export class RowFiller {
  /** Ids of the parents of rows, as two halves; needed until the parents themselves are known. */
  readonly parentHi: Uint32Array
  readonly parentLo: Uint32Array
  readonly #columns: Columns
  readonly #groups: TraceGroups
  readonly #sources: readonly Source[]

  constructor(columns: Columns, picked: readonly PickedRows[], groups: TraceGroups, names: Names) {
    const texts = new BlockTexts(names)
    this.parentHi = new Uint32Array(groups.spans)
    this.parentLo = new Uint32Array(groups.spans)
    this.#columns = columns
    this.#groups = groups
    this.#sources = picked.map(({ block }) => ({
      block,
      parents: viewOf(block.parentSpanId),
      strings: texts.strings(block),
      resources: texts.resources(block),
    }))
  }

  weightOf(trace: number, weightOf: WeightOf): number {
    const { order, first, part, row } = this.#groups
    const head = order[first[trace] as number] as number
    const source = this.#sources[part[head] as number]
    return source === undefined ? 1 : weightOf(source.block, row[head] as number)
  }

  /** Row `at` from the `number`th span of a trace. */
  fill(at: number, trace: number, number: number): void {
    const columns = this.#columns
    const { order, first, part, row: rows, startMs, endMs, hi, lo } = this.#groups
    const picked = order[(first[trace] as number) + number] as number
    const source = this.#sources[part[picked] as number]
    if (source === undefined) return
    const { block, parents, strings, resources } = source
    const row = rows[picked] as number
    const resource = resources.of(block.resource[row] as number)
    const status = block.status[row] as number
    const httpStatus = block.httpStatus[row] as number
    columns.service[at] = resource.service
    columns.instance[at] = resource.instance
    columns.version[at] = resource.version
    columns.name[at] = strings.of(block.name[row] as number)
    columns.peer[at] = strings.of(block.peer[row] as number)
    columns.kind[at] = block.kind[row] as number
    columns.links[at] = block.links[row] as number
    columns.failed[at] = status === 2 || (status === 0 && httpStatus >= 500) ? 1 : 0
    columns.tells[at] = status !== 0 || httpStatus !== 0 ? 1 : 0
    columns.errorType[at] = strings.of(block.errorType[row] as number)
    columns.startMs[at] = startMs[picked] as number
    columns.endMs[at] = Math.max(startMs[picked] as number, endMs[picked] as number)
    columns.trace[at] = trace
    columns.spanHi[at] = hi[picked] as number
    columns.spanLo[at] = lo[picked] as number
    this.parentHi[at] = parents.getUint32(row * 8)
    this.parentLo[at] = parents.getUint32(row * 8 + 4)
  }
}

interface Source {
  readonly block: SpanBlock
  readonly parents: DataView
  readonly strings: StringIds
  readonly resources: ResourceIds
}

/** Ids of the texts of blocks; groups of one segment share their tables. */
class BlockTexts {
  readonly #names: Names
  readonly #strings = new Map<SpanBlock['strings'], StringIds>()
  readonly #resources = new Map<SpanBlock['resources'], ResourceIds>()

  constructor(names: Names) {
    this.#names = names
  }

  strings({ strings }: SpanBlock): StringIds {
    const known = this.#strings.get(strings) ?? new StringIds(strings, this.#names)
    this.#strings.set(strings, known)
    return known
  }

  resources({ resources }: SpanBlock): ResourceIds {
    const known = this.#resources.get(resources) ?? new ResourceIds(resources, this.#names)
    this.#resources.set(resources, known)
    return known
  }
}

/** Texts are named when they are first met: what is never met has no number. */
class StringIds {
  readonly #strings: readonly string[]
  readonly #names: Names
  readonly #known: Int32Array

  constructor(strings: readonly string[], names: Names) {
    this.#strings = strings
    this.#names = names
    this.#known = new Int32Array(strings.length).fill(-1)
  }

  of(index: number): number {
    const known = this.#known[index] ?? -1
    if (known >= 0) return known
    const id = this.#names.id(this.#strings[index] ?? '')
    this.#known[index] = id
    return id
  }
}

interface NamedResource {
  readonly service: number
  readonly instance: number
  readonly version: number
}

class ResourceIds {
  readonly #resources: SpanBlock['resources']
  readonly #names: Names
  readonly #known: (NamedResource | undefined)[] = []

  constructor(resources: SpanBlock['resources'], names: Names) {
    this.#resources = resources
    this.#names = names
  }

  of(index: number): NamedResource {
    const known = this.#known[index]
    if (known !== undefined) return known
    const { service = '', instance = '', version = '' } = this.#resources[index] ?? {}
    const named = {
      service: this.#names.id(service),
      instance: this.#names.id(instance),
      version: this.#names.id(version),
    }
    this.#known[index] = named
    return named
  }
}
