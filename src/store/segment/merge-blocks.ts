/** Picks rows out of many decoded batches and makes them one block, tables shared and deduplicated. */
import type {
  BlockBase,
  LogBlock,
  MetricBlock,
  MetricEntry,
  ResourceEntry,
  ScopeEntry,
  SpanBlock,
} from '../../model/telemetry.ts'

/** Row `i` of the result is row `row[i]` of the block `source[i]`. */
export interface Picks {
  readonly source: Uint32Array
  readonly row: Uint32Array
}

export function mergeSpanBlocks(blocks: readonly SpanBlock[], picks: Picks): SpanBlock {
  const merge = new Merge(blocks, picks)
  return {
    signal: 'traces',
    ...merge.base(),
    traceId: merge.wide(block => block.traceId, 16),
    spanId: merge.wide(block => block.spanId, 8),
    parentSpanId: merge.wide(block => block.parentSpanId, 8),
    startHi: merge.words(block => block.startHi),
    startLo: merge.words(block => block.startLo),
    endHi: merge.words(block => block.endHi),
    endLo: merge.words(block => block.endLo),
    kind: merge.octets(block => block.kind),
    status: merge.octets(block => block.status),
    name: merge.texts(block => block.name),
    httpStatus: merge.fill(new Uint16Array(picks.row.length), block => block.httpStatus),
    errorType: merge.texts(block => block.errorType),
    peer: merge.texts(block => block.peer),
    peerKind: merge.octets(block => block.peerKind),
    links: merge.octets(block => block.links),
    strings: merge.strings,
  }
}

export function mergeLogBlocks(blocks: readonly LogBlock[], picks: Picks): LogBlock {
  const merge = new Merge(blocks, picks)
  return {
    signal: 'logs',
    ...merge.base(),
    traceId: merge.wide(block => block.traceId, 16),
    spanId: merge.wide(block => block.spanId, 8),
    timeHi: merge.words(block => block.timeHi),
    timeLo: merge.words(block => block.timeLo),
    severity: merge.octets(block => block.severity),
    eventName: merge.texts(block => block.eventName),
    template: merge.words(block => block.template),
    strings: merge.strings,
  }
}

export function mergeMetricBlocks(blocks: readonly MetricBlock[], picks: Picks): MetricBlock {
  const merge = new Merge(blocks, picks)
  const metrics = merge.table(
    block => block.metric,
    block => block.metrics,
    metricKey,
  )
  return {
    signal: 'metrics',
    ...merge.base(),
    metrics: metrics.entries,
    metric: metrics.column,
    timeHi: merge.words(block => block.timeHi),
    timeLo: merge.words(block => block.timeLo),
    startHi: merge.words(block => block.startHi),
    startLo: merge.words(block => block.startLo),
    value: merge.fill(new Float64Array(picks.row.length), block => block.value),
    pointCount: merge.fill(new Float64Array(picks.row.length), block => block.pointCount),
    series: merge.texts(block => block.series),
    strings: merge.strings,
  }
}

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array

class Merge<B extends BlockBase> {
  readonly strings: string[] = ['']
  readonly #blocks: readonly B[]
  readonly #picks: Picks
  readonly #stringIndex = new Map<string, number>([['', 0]])
  readonly #stringMaps: (Int32Array | undefined)[] = []

  constructor(blocks: readonly B[], picks: Picks) {
    this.#blocks = blocks
    this.#picks = picks
  }

  base(): Omit<BlockBase, 'strings'> {
    const resources = this.table(
      block => block.resource,
      block => block.resources,
      resourceKey,
    )
    const scopes = this.table(
      block => block.scope,
      block => block.scopes,
      scopeKey,
    )
    return {
      count: this.#picks.row.length,
      resources: resources.entries,
      scopes: scopes.entries,
      resource: resources.column,
      scope: scopes.column,
      flags: this.octets(block => block.flags),
    }
  }

  octets(column: (block: B) => Uint8Array): Uint8Array {
    return this.fill(new Uint8Array(this.#picks.row.length), column)
  }

  words(column: (block: B) => Uint32Array): Uint32Array {
    return this.fill(new Uint32Array(this.#picks.row.length), column)
  }

  fill<A extends Column>(into: A, column: (block: B) => A): A {
    const { source, row } = this.#picks
    const columns = this.#blocks.map(column)
    for (let index = 0; index < row.length; index++) {
      const from = columns[source[index] as number] as A
      into[index] = from[row[index] as number] as number
    }
    return into
  }

  wide(column: (block: B) => Uint8Array, width: number): Uint8Array {
    const { source, row } = this.#picks
    const columns = this.#blocks.map(column)
    const into = new Uint8Array(row.length * width)
    for (let index = 0; index < row.length; index++) {
      const from = columns[source[index] as number] as Uint8Array
      const start = (row[index] as number) * width
      const target = index * width
      for (let byte = 0; byte < width; byte++) into[target + byte] = from[start + byte] as number
    }
    return into
  }

  /** A text column, its texts gathered in `strings`. */
  texts(column: (block: B) => Uint32Array): Uint32Array {
    const { source, row } = this.#picks
    const columns = this.#blocks.map(column)
    const into = new Uint32Array(row.length)
    for (let index = 0; index < row.length; index++) {
      const from = source[index] as number
      const text = (columns[from] as Uint32Array)[row[index] as number] as number
      into[index] = text === 0 ? 0 : this.#stringNumber(from, text)
    }
    return into
  }

  #stringNumber(source: number, text: number): number {
    const strings = (this.#blocks[source] as B).strings
    let map = this.#stringMaps[source]
    if (map === undefined) {
      map = new Int32Array(strings.length).fill(-1)
      this.#stringMaps[source] = map
    }
    const known = map[text] as number
    if (known >= 0) return known
    const value = strings[text] ?? ''
    let number = this.#stringIndex.get(value)
    if (number === undefined) {
      number = this.strings.length
      this.strings.push(value)
      this.#stringIndex.set(value, number)
    }
    map[text] = number
    return number
  }

  /** A table whose rows are referred to; entries with equal keys become one. */
  table<E>(
    column: (block: B) => Uint32Array,
    entriesOf: (block: B) => readonly E[],
    keyOf: (entry: E) => string,
  ): { readonly entries: readonly E[]; readonly column: Uint32Array } {
    const { source, row } = this.#picks
    const columns = this.#blocks.map(column)
    const maps: (Int32Array | undefined)[] = []
    const entries: E[] = []
    const index = new Map<string, number>()
    const into = new Uint32Array(row.length)
    for (let at = 0; at < row.length; at++) {
      const from = source[at] as number
      const entry = (columns[from] as Uint32Array)[row[at] as number] as number
      let map = maps[from]
      if (map === undefined) {
        map = new Int32Array(entriesOf(this.#blocks[from] as B).length).fill(-1)
        maps[from] = map
      }
      let number = map[entry] as number
      if (number < 0) {
        const value = entriesOf(this.#blocks[from] as B)[entry] as E
        const key = keyOf(value)
        number = index.get(key) ?? -1
        if (number < 0) {
          number = entries.length
          entries.push(value)
          index.set(key, number)
        }
        map[entry] = number
      }
      into[at] = number
    }
    return { entries, column: into }
  }
}

function resourceKey(entry: ResourceEntry): string {
  return `${latin1(entry.bytes)}\n${entry.schemaUrl}\n${entry.service}\n${entry.instance}`
}

function scopeKey(entry: ScopeEntry): string {
  return `${latin1(entry.bytes)}\n${entry.schemaUrl}`
}

function metricKey(entry: MetricEntry): string {
  return `${entry.type}\n${entry.name}\n${latin1(entry.bytes)}`
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
