/**
 * Publications on their way to other threads, entries as columns. As objects, with the views each of them has, they were
 * cloned for every query worker anew, whether anybody asks it or not.
 */
import type { EntryIndex, TailEntry, TailPublication } from './tail.ts'
import { signals } from './telemetry.ts'

export interface PackedEntries {
  readonly count: number
  /** Distinct. */
  readonly tenants: readonly string[]
  /** Distinct: what the bytes of entries lie in. */
  readonly memories: readonly ArrayBufferLike[]
  /** So many of each entry as `numbersPerEntry`. */
  readonly numbers: Float64Array
  /** Of each entry: refused items, numbers of templates, hashes of traces. */
  readonly words: Uint32Array
}

export interface PackedPublication extends Omit<TailPublication, 'type' | 'entries'> {
  readonly type: 'packed'
  readonly packed: PackedEntries
}

/** Position, tenant, signal, time; memory, offset, length; counts of words; count and times of the index. */
const numbersPerEntry = 13
/** As a count: there are none to be told. */
const none = -1

export function packPublication(publication: TailPublication): PackedPublication {
  const { type: _, entries, ...rest } = publication
  return { type: 'packed', ...rest, packed: packEntries(entries) }
}

function packEntries(entries: readonly TailEntry[]): PackedEntries {
  const tenants = new Map<string, number>()
  const memories = new Map<ArrayBufferLike, number>()
  const numbers = new Float64Array(entries.length * numbersPerEntry)
  let size = 0
  for (const { refused, templates, index } of entries)
    size += refused.length + (templates?.length ?? 0) + (index?.traces?.length ?? 0)
  const words = new Uint32Array(size)
  let used = 0
  const add = (list: Uint32Array | null | undefined): number => {
    if (list == null) return none
    words.set(list, used)
    used += list.length
    return list.length
  }
  let at = 0
  for (const { position, tenant, signal, receivedMs, bytes, refused, templates, index } of entries) {
    numbers[at] = position
    numbers[at + 1] = numberOf(tenants, tenant)
    numbers[at + 2] = signals.indexOf(signal)
    numbers[at + 3] = receivedMs
    numbers[at + 4] = numberOf(memories, bytes.buffer)
    numbers[at + 5] = bytes.byteOffset
    numbers[at + 6] = bytes.length
    numbers[at + 7] = add(refused)
    numbers[at + 8] = add(templates)
    numbers[at + 9] = add(index?.traces)
    numbers[at + 10] = index?.count ?? none
    numbers[at + 11] = index?.minTimeMs ?? 0
    numbers[at + 12] = index?.maxTimeMs ?? 0
    at += numbersPerEntry
  }
  return {
    count: entries.length,
    tenants: [...tenants.keys()],
    memories: [...memories.keys()],
    numbers,
    words,
  }
}

function numberOf<T>(known: Map<T, number>, value: T): number {
  const number = known.get(value) ?? known.size
  if (number === known.size) known.set(value, number)
  return number
}

/** The publication again; its entries are made when they are first asked for, and stay the same objects. */
export function unpackPublication(message: PackedPublication): TailPublication {
  const { type: _, packed, ...rest } = message
  let entries: readonly TailEntry[] | null = null
  return {
    type: 'publication',
    ...rest,
    get entries() {
      entries ??= unpackEntries(packed)
      return entries
    },
  }
}

function unpackEntries({ count, tenants, memories, numbers, words }: PackedEntries): readonly TailEntry[] {
  const entries: TailEntry[] = []
  let used = 0
  const take = (length: number): Uint32Array | null => {
    if (length === none) return null
    used += length
    return words.subarray(used - length, used)
  }
  for (let entry = 0; entry < count; entry++) {
    const at = entry * numbersPerEntry
    const number = (n: number): number => numbers[at + n] ?? 0
    const memory = memories[number(4)]
    const signal = signals[number(2)]
    if (memory === undefined || signal === undefined) throw new Error('an entry names what was not sent')
    const refused = take(number(7)) ?? words.subarray(0, 0)
    const templates = take(number(8))
    const traces = take(number(9))
    const index: EntryIndex = {
      count: number(10),
      minTimeMs: number(11),
      maxTimeMs: number(12),
      traces,
    }
    entries.push({
      position: number(0),
      tenant: tenants[number(1)] ?? '',
      signal,
      receivedMs: number(3),
      bytes: new Uint8Array(memory, number(5), number(6)),
      refused,
      templates,
      ...(index.count === none ? {} : { index }),
    })
  }
  return entries
}
