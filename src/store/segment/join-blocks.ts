/** Many decoded batches as one block in `scratch`, row behind row, their tables shared. */
import type {
  BlockBase,
  LogBlock,
  MetricBlock,
  MetricEntry,
  ResourceEntry,
  ScopeEntry,
  SpanBlock,
} from '../../model/telemetry.ts'
import type { Scratch } from './scratch.ts'

export function joinSpanBlocks(scratch: Scratch, blocks: readonly SpanBlock[]): SpanBlock {
  const join = new Join(scratch, blocks)
  return {
    signal: 'traces',
    ...join.base(),
    traceId: join.octets(block => block.traceId, 16),
    spanId: join.octets(block => block.spanId, 8),
    parentSpanId: join.octets(block => block.parentSpanId, 8),
    startHi: join.words(block => block.startHi),
    startLo: join.words(block => block.startLo),
    endHi: join.words(block => block.endHi),
    endLo: join.words(block => block.endLo),
    kind: join.octets(block => block.kind),
    status: join.octets(block => block.status),
    name: join.texts(block => block.name),
    httpStatus: join.fill(scratch.halves(join.count), block => block.httpStatus),
    errorType: join.texts(block => block.errorType),
    peer: join.texts(block => block.peer),
    peerKind: join.octets(block => block.peerKind),
    links: join.octets(block => block.links),
    strings: join.strings,
  }
}

export function joinLogBlocks(scratch: Scratch, blocks: readonly LogBlock[]): LogBlock {
  const join = new Join(scratch, blocks)
  return {
    signal: 'logs',
    ...join.base(),
    traceId: join.octets(block => block.traceId, 16),
    spanId: join.octets(block => block.spanId, 8),
    timeHi: join.words(block => block.timeHi),
    timeLo: join.words(block => block.timeLo),
    severity: join.octets(block => block.severity),
    eventName: join.texts(block => block.eventName),
    template: join.words(block => block.template),
    strings: join.strings,
  }
}

export function joinMetricBlocks(scratch: Scratch, blocks: readonly MetricBlock[]): MetricBlock {
  const join = new Join(scratch, blocks)
  const metrics = join.table(
    block => block.metric,
    block => block.metrics,
    metricKey,
  )
  return {
    signal: 'metrics',
    ...join.base(),
    metrics: metrics.entries,
    metric: metrics.column,
    timeHi: join.words(block => block.timeHi),
    timeLo: join.words(block => block.timeLo),
    startHi: join.words(block => block.startHi),
    startLo: join.words(block => block.startLo),
    value: join.fill(scratch.doubles(join.count), block => block.value),
    pointCount: join.fill(scratch.doubles(join.count), block => block.pointCount),
    series: join.texts(block => block.series),
    strings: join.strings,
  }
}

class Join<B extends BlockBase> {
  readonly count: number
  readonly strings: string[] = ['']
  readonly #scratch: Scratch
  readonly #blocks: readonly B[]
  /** Number in `strings` of each text of each block. */
  readonly #numbers: readonly Uint32Array[]

  constructor(scratch: Scratch, blocks: readonly B[]) {
    this.#scratch = scratch
    this.#blocks = blocks
    this.count = blocks.reduce((sum, block) => sum + block.count, 0)
    const index = new Map<string, number>([['', 0]])
    this.#numbers = blocks.map(block => this.#numbersOf(block.strings, index))
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
      count: this.count,
      resources: resources.entries,
      scopes: scopes.entries,
      resource: resources.column,
      scope: scopes.column,
      flags: this.octets(block => block.flags),
    }
  }

  octets(column: (block: B) => Uint8Array, width = 1): Uint8Array {
    return this.fill(this.#scratch.octets(this.count * width), column)
  }

  words(column: (block: B) => Uint32Array): Uint32Array {
    return this.fill(this.#scratch.words(this.count), column)
  }

  fill<A extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(into: A, column: (block: B) => A): A {
    let at = 0
    for (const block of this.#blocks) {
      const from = column(block)
      into.set(from, at)
      at += from.length
    }
    return into
  }

  /** A text column, its texts gathered in `strings`. */
  texts(column: (block: B) => Uint32Array): Uint32Array {
    return renumbered(this.#blocks.map(column), this.#numbers, this.#scratch.words(this.count))
  }

  /** A table whose rows are referred to; entries with equal keys become one. */
  table<E>(
    column: (block: B) => Uint32Array,
    entriesOf: (block: B) => readonly E[],
    keyOf: (entry: E) => string,
  ): { readonly entries: readonly E[]; readonly column: Uint32Array } {
    const entries: E[] = []
    const index = new Map<string, number>()
    // Batches mostly share the very entries, so that keys need not be made of them.
    const same = new Map<E, number>()
    const numberOf = (entry: E): number => {
      const known = same.get(entry)
      if (known !== undefined) return known
      const key = keyOf(entry)
      const number = index.get(key) ?? entries.push(entry) - 1
      index.set(key, number)
      same.set(entry, number)
      return number
    }
    const numbers = this.#blocks.map(block => Uint32Array.from(entriesOf(block), numberOf))
    return { entries, column: renumbered(this.#blocks.map(column), numbers, this.#scratch.words(this.count)) }
  }

  #numbersOf(texts: readonly string[], index: Map<string, number>): Uint32Array {
    const numbers = new Uint32Array(texts.length)
    for (let text = 0; text < texts.length; text++) {
      const value = texts[text] as string
      let number = index.get(value)
      if (number === undefined) {
        number = this.strings.push(value) - 1
        index.set(value, number)
      }
      numbers[text] = number
    }
    return numbers
  }
}

/** Columns one behind the other, each number replaced by what `numbers` says for its column. */
function renumbered(
  columns: readonly Uint32Array[],
  numbers: readonly Uint32Array[],
  into: Uint32Array,
): Uint32Array {
  let at = 0
  for (let source = 0; source < columns.length; source++) {
    const column = columns[source] as Uint32Array
    const map = numbers[source] as Uint32Array
    for (let row = 0; row < column.length; row++) into[at++] = map[column[row] as number] as number
  }
  return into
}

/** The same entries come with every segment. */
const resourceKeys = new WeakMap<ResourceEntry, string>()

function resourceKey(entry: ResourceEntry): string {
  const known = resourceKeys.get(entry)
  if (known !== undefined) return known
  const key = `${latin1(entry.bytes)}\n${entry.schemaUrl}\n${entry.service}\n${entry.instance}`
  resourceKeys.set(entry, key)
  return key
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
