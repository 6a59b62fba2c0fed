/**
 * Columns of decoded batches in memory that both workers see. Texts, resources, scopes and metrics repeat from
 * batch to batch: each crosses once, and the columns of a batch name them by number.
 */
import type { MetricEntry, ResourceEntry, ScopeEntry, Signal } from '../../model/telemetry.ts'
import { type BatchColumns, blockAt, columnBytes } from '../codec.ts'

/** Where the columns of one entry lie. Behind them stand the numbers of its texts and entries. */
export interface HandedColumns {
  /** Bytes from the start of the memory. */
  readonly offset: number
  /** Rows there is room for; the block may use fewer. */
  readonly rows: number
  readonly texts: number
  readonly resources: number
  readonly scopes: number
  readonly metrics: number
}

/** What a message introduces; numbers go on from the message before, or start again at 0. */
export interface Introduced {
  readonly again: boolean
  readonly texts: readonly string[]
  readonly resources: readonly ResourceEntry[]
  readonly scopes: readonly ScopeEntry[]
  readonly metrics: readonly MetricEntry[]
}

/** Entries of one kind introduced before all are forgotten: some megabytes of names at both ends. */
const maxIntroduced = 16_384

/** The same for texts, which are short, but one for each series of metrics. */
const maxTexts = 32_768

/** The size as a multiple of eight: into shared memory V8 copies aligned words four times as fast as bytes. */
export function aligned(bytes: number): number {
  return (bytes + 7) & ~7
}

class Introductions<T> {
  readonly #numbers = new Map<T, number>()
  #fresh: T[] = []

  get size(): number {
    return this.#numbers.size
  }

  numberOf(value: T): number {
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    const number = this.#numbers.size
    this.#numbers.set(value, number)
    this.#fresh.push(value)
    return number
  }

  takeFresh(): readonly T[] {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }
}

/** The inbox worker's side, for one channel. */
export class ColumnSender {
  #texts = new Introductions<string>()
  #resources = new Introductions<ResourceEntry>()
  #scopes = new Introductions<ScopeEntry>()
  #metrics = new Introductions<MetricEntry>()
  #again = true

  /** Bytes that `write` will use, a multiple of eight. */
  bytesFor(columns: BatchColumns): number {
    const { strings, resources, scopes, flags } = columns.block
    const numbers = strings.length + resources.length + scopes.length + metricsOf(columns).length
    return aligned(flags.buffer.byteLength) + columns.offset.buffer.byteLength + aligned(numbers * 4)
  }

  /** Copies the columns to `at`, a multiple of eight. */
  write(columns: BatchColumns, memory: SharedArrayBuffer, at: number): HandedColumns {
    const { strings, resources, scopes, flags } = columns.block
    const metrics = metricsOf(columns)
    const all = new Uint8Array(memory)
    const recordsAt = at + aligned(flags.buffer.byteLength)
    all.set(new Uint8Array(flags.buffer), at)
    all.set(new Uint8Array(columns.offset.buffer), recordsAt)
    const numbersAt = recordsAt + columns.offset.buffer.byteLength
    const numbers = new Uint32Array(
      memory,
      numbersAt,
      strings.length + resources.length + scopes.length + metrics.length,
    )
    let next = 0
    for (const text of strings) numbers[next++] = this.#texts.numberOf(text)
    for (const resource of resources) numbers[next++] = this.#resources.numberOf(resource)
    for (const scope of scopes) numbers[next++] = this.#scopes.numberOf(scope)
    for (const metric of metrics) numbers[next++] = this.#metrics.numberOf(metric)
    return {
      offset: at,
      rows: columns.offset.buffer.byteLength / 8,
      texts: strings.length,
      resources: resources.length,
      scopes: scopes.length,
      metrics: metrics.length,
    }
  }

  /** What the message with everything written since the last call has to introduce. */
  introduce(): Introduced {
    const introduced = {
      again: this.#again,
      texts: this.#texts.takeFresh(),
      resources: this.#resources.takeFresh(),
      scopes: this.#scopes.takeFresh(),
      metrics: this.#metrics.takeFresh(),
    }
    const entries = Math.max(this.#resources.size, this.#scopes.size, this.#metrics.size)
    this.#again = this.#texts.size > maxTexts || entries > maxIntroduced
    if (this.#again) {
      this.#texts = new Introductions()
      this.#resources = new Introductions()
      this.#scopes = new Introductions()
      this.#metrics = new Introductions()
    }
    return introduced
  }
}

function metricsOf({ block }: BatchColumns): readonly MetricEntry[] {
  return block.signal === 'metrics' ? block.metrics : noMetrics
}

const noMetrics: readonly MetricEntry[] = []

/** What has been introduced on a channel; what an older message saw stays as it was when all starts again. */
export interface Acquaintances {
  readonly texts: string[]
  readonly resources: ResourceEntry[]
  readonly scopes: ScopeEntry[]
  readonly metrics: MetricEntry[]
}

/** The engine's side. Messages have to be accepted in the order they were sent, also those that are not used. */
export class ColumnReceiver {
  #known: Acquaintances = { texts: [], resources: [], scopes: [], metrics: [] }

  /** What the entries of this message are read with, now or later. */
  accept(introduced: Introduced): Acquaintances {
    if (introduced.again) this.#known = { texts: [], resources: [], scopes: [], metrics: [] }
    const known = this.#known
    for (const text of introduced.texts) known.texts.push(text)
    for (const resource of introduced.resources) known.resources.push(resource)
    for (const scope of introduced.scopes) known.scopes.push(scope)
    for (const metric of introduced.metrics) known.metrics.push(metric)
    return known
  }
}

/** The columns of `items` rows, as views of the shared memory. */
export function readHanded(
  signal: Signal,
  items: number,
  handed: HandedColumns,
  memory: SharedArrayBuffer,
  known: Acquaintances,
): BatchColumns {
  const { offset: at, rows } = handed
  const recordsAt = at + aligned(columnBytes(signal, rows))
  const numbers = new Uint32Array(
    memory,
    recordsAt + rows * 8,
    handed.texts + handed.resources + handed.scopes + handed.metrics,
  )
  let next = 0
  const named = <T>(values: readonly T[], count: number): readonly T[] => {
    const list: T[] = []
    for (const end = next + count; next < end; next++) {
      const value = values[numbers[next] ?? -1]
      if (value === undefined) throw new Error('columns name what was never introduced')
      list.push(value)
    }
    return list
  }
  const strings = named(known.texts, handed.texts)
  const resources = named(known.resources, handed.resources)
  const scopes = named(known.scopes, handed.scopes)
  const metrics = named(known.metrics, handed.metrics)
  return {
    block: blockAt(signal, { memory, at, rows, items }, { strings, resources, scopes, metrics }),
    offset: new Uint32Array(memory, recordsAt, items),
    length: new Uint32Array(memory, recordsAt + rows * 4, items),
  }
}
