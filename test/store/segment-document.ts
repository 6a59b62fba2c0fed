/**
 * A reader of segments written from docs/segment-format.md and nothing else: no code of the store is used, so that
 * the document is what is tested. Slow and plain on purpose.
 */
import { zstdDecompressSync } from 'node:zlib'

export interface DocumentedSegment {
  readonly signal: 'traces' | 'logs' | 'metrics'
  readonly rows: number
  readonly groupRows: number
  /** Oldest and newest of each group. */
  readonly groupTimes: readonly (readonly [bigint, bigint])[]
  readonly texts: readonly string[]
  readonly resources: readonly { readonly texts: readonly string[]; readonly message: Uint8Array }[]
  readonly scopes: readonly { readonly texts: readonly string[]; readonly message: Uint8Array }[]
  readonly metrics: readonly {
    readonly texts: readonly string[]
    readonly type: number
    readonly message: Uint8Array
  }[]
  /** By the names of the document; numbers, 64-bit times as bigint, ids as hex. */
  readonly columns: Readonly<Record<string, readonly (number | bigint | string)[]>>
  /** The message of every row. */
  readonly messages: readonly Uint8Array[]
  /** How many keys of the dictionary are shapes. */
  readonly shapes: number
  readonly prefixes: readonly number[]
  readonly hashes: readonly number[]
  /** Of spans, for each hash. */
  readonly traceGroups: readonly number[]
  readonly words: ReadonlyMap<string, readonly number[]>
}

class Bytes {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get done(): boolean {
    return this.at === this.bytes.length
  }

  u8(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw new Error('the bytes end too early')
    return byte
  }

  u32(): number {
    return this.u8() + this.u8() * 2 ** 8 + this.u8() * 2 ** 16 + this.u8() * 2 ** 24
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8()
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  take(size: number): Uint8Array {
    if (this.at + size > this.bytes.length) throw new Error('the bytes end too early')
    this.at += size
    return this.bytes.slice(this.at - size, this.at)
  }

  block(): Uint8Array {
    return this.take(this.varint())
  }

  text(): string {
    return new TextDecoder().decode(this.block())
  }

  packed(): Bytes {
    const size = this.varint()
    const stored = this.block()
    return new Bytes(stored.length === size ? stored : new Uint8Array(zstdDecompressSync(stored)))
  }

  list<T>(read: () => T): T[] {
    return times(this.varint(), read)
  }
}

function times<T>(count: number, read: () => T): T[] {
  const list: T[] = []
  for (let index = 0; index < count; index++) list.push(read())
  return list
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index]
  if (value === undefined) throw new Error(`there is no ${index} of ${list.length}`)
  return value
}

/** Differences, the first to 0, added up. */
function sums(differences: readonly number[]): readonly number[] {
  let last = 0
  return differences.map(difference => {
    last += difference
    return last
  })
}

/** CRC-32C, bit by bit. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

function contentOf(parts: ReadonlyMap<string, Uint8Array>, name: string): Bytes {
  const part = parts.get(name)
  if (part === undefined) throw new Error(`there is no part ${name}`)
  const end = part.length - 4
  if (new Bytes(part.slice(end)).u32() !== checksum(part.slice(0, end))) throw new Error('wrong checksum')
  if (part[0] !== 4) throw new Error(`version ${part[0]}`)
  return new Bytes(part.slice(1, end))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The types of columns, for n rows; `random` is asked in the order in which they come. */
class ColumnReader {
  readonly main: Bytes
  readonly random: Bytes
  readonly rows: number

  constructor(main: Bytes, random: Bytes, rows: number) {
    this.main = main
    this.random = random
    this.rows = rows
  }

  integers(): number[] {
    const values = new Array<number>(this.rows).fill(0)
    const width = this.main.u8()
    for (let plane = 0; plane < width; plane++)
      for (let row = 0; row < this.rows; row++) values[row] = at(values, row) + this.main.u8() * 256 ** plane
    return values
  }

  ids(size: number): string[] {
    const distinct = this.main.varint()
    const numbers = this.integers()
    const table = times(distinct, () => hex(this.random.take(size)))
    return numbers.map(number => (number === 0 ? '00'.repeat(size) : at(table, number - 1)))
  }

  parents(spanIds: readonly string[]): string[] {
    return this.integers().map((code, row) => {
      if (code === 0) return '00'.repeat(8)
      if (code === 1) return hex(this.random.take(8))
      const zigzag = code - 2
      return at(spanIds, row - (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2))
    })
  }

  times(start: readonly bigint[] | null): bigint[] {
    const mode = this.main.u8()
    if (mode === 0) {
      const high = this.integers()
      return this.integers().map((low, row) => (BigInt(at(high, row)) << 32n) + BigInt(low))
    }
    const unit = at([1n, 1_000n, 1_000_000n], mode - 1)
    let last = 0n
    if (start === null) {
      const high = this.main.u32()
      last = (BigInt(high) << 32n) + BigInt(this.main.u32())
    }
    return times(this.rows, () => BigInt(this.main.zigzag())).map((difference, row) => {
      last = (start === null ? last : at(start, row)) + difference * unit
      return last
    })
  }

  doubles(): number[] {
    const values: number[] = []
    for (let runs = this.main.varint(); runs > 0; runs--) {
      const size = this.main.varint()
      if (this.main.u8() === 1) {
        let last = 0
        for (let left = size; left > 0; left--) {
          last += this.main.zigzag()
          values.push(last)
        }
        continue
      }
      const planes = times(8, () => this.main.take(size))
      let before = 0n
      for (let row = 0; row < size; row++) {
        let bits = 0n
        for (const [plane, bytes] of planes.entries())
          bits += BigInt(at([...bytes], row)) << BigInt(8 * plane)
        before ^= bits
        values.push(new Float64Array(new BigUint64Array([before]).buffer)[0] ?? 0)
      }
    }
    return values
  }
}

export function readDocumentedSegment(parts: ReadonlyMap<string, Uint8Array>): DocumentedSegment {
  const head = contentOf(parts, 'columns')
  const signal = at(['traces', 'logs', 'metrics'] as const, head.u8())
  const rows = head.varint()
  const groupRows = head.varint()
  const main = head.packed()
  const described = (count: number) => () => ({
    texts: times(count, () => main.text()),
    message: main.block(),
  })
  const texts = main.list(() => main.text())
  const resources = main.list(described(9))
  const scopes = main.list(described(3))
  const metrics =
    signal !== 'metrics'
      ? []
      : main.list(() => {
          const names = times(3, () => main.text())
          const type = main.u8()
          main.take(2)
          return { texts: names, type, message: main.block() }
        })
  const columns: Record<string, (number | bigint | string)[]> = {}
  const groupTimes: (readonly [bigint, bigint])[] = []
  for (let group = 0; group * groupRows < rows; group++) {
    const time = (): bigint => (BigInt(main.u32()) << 32n) + BigInt(main.u32())
    groupTimes.push([time(), time()])
    const read = readGroup(
      signal,
      contentOf(parts, `columns.${group}`),
      Math.min(groupRows, rows - group * groupRows),
    )
    for (const [name, values] of Object.entries(read)) columns[name] = [...(columns[name] ?? []), ...values]
  }
  if (!main.done || !head.done) throw new Error('bytes are left over')
  const segment = { signal, rows, groupRows, groupTimes, texts, resources, scopes, metrics, columns }
  return {
    ...segment,
    ...readMessages(segment, parts),
    ...readTraces(signal, parts),
    words: readWords(signal, parts),
  }
}

function readGroup(
  signal: DocumentedSegment['signal'],
  part: Bytes,
  rows: number,
): Readonly<Record<string, readonly (number | bigint | string)[]>> {
  const main = part.packed()
  const reader = new ColumnReader(main, new Bytes(part.block()), rows)
  const columns: Record<string, readonly (number | bigint | string)[]> = {}
  for (const name of ['resource', 'scope', 'flags', 'held']) columns[name] = reader.integers()
  if (signal === 'traces') {
    columns['trace id'] = reader.ids(16)
    const spanIds = times(rows, () => hex(reader.random.take(8)))
    columns['span id'] = spanIds
    columns['parent span id'] = reader.parents(spanIds)
    const start = reader.times(null)
    columns['start'] = start
    columns['end'] = reader.times(start)
    for (const name of ['kind', 'status', 'peer kind', 'links', 'HTTP status', 'name', 'error type', 'peer'])
      columns[name] = reader.integers()
  } else if (signal === 'logs') {
    columns['trace id'] = reader.ids(16)
    columns['span id'] = reader.ids(8)
    columns['time'] = reader.times(null)
    for (const name of ['severity', 'event name', 'template']) columns[name] = reader.integers()
  } else {
    columns['metric'] = reader.integers()
    columns['time'] = reader.times(null)
    columns['start'] = reader.times(null)
    columns['value'] = reader.doubles()
    columns['point count'] = reader.doubles()
    columns['series'] = reader.integers()
  }
  if (!main.done || !reader.random.done || !part.done) throw new Error('bytes are left over')
  return columns
}

type Columns = Pick<DocumentedSegment, 'signal' | 'rows' | 'texts' | 'columns'>

function readMessages(
  segment: Columns,
  parts: ReadonlyMap<string, Uint8Array>,
): Pick<DocumentedSegment, 'messages' | 'shapes'> {
  const dictionary = contentOf(parts, 'dictionary').packed()
  const keys = dictionary.list(() => {
    const key = new Bytes(dictionary.block())
    const tag = key.varint()
    const kind = key.u8()
    const pieces = kind === 2 ? key.list(() => key.block()) : []
    return { tag, isAttribute: kind === 1, name: key.take(key.bytes.length - key.at), pieces }
  })
  const chunks = dictionary.list(() => dictionary.block())
  const size = segment.signal === 'logs' ? 128 : 512
  const messages: Uint8Array[] = []
  for (let frame = 0; frame * size < segment.rows; frame++) {
    const sections = contentOf(parts, `frame.${frame}`).packed()
    const [codes, numbers, literals] = [0, 1, 2].map(() => new Bytes(sections.block()))
    if (codes === undefined || numbers === undefined || literals === undefined)
      throw new Error('a section is missing')
    for (let row = frame * size; row < Math.min(segment.rows, (frame + 1) * size); row++) {
      const out: number[] = []
      for (let left = codes.varint(); left > 0; left--) {
        const code = codes.varint()
        if (code % 2 === 0) {
          out.push(...at(chunks, code / 2))
          continue
        }
        const key = at(keys, (code - 1) / 2)
        if (key.pieces.length === 0) out.push(...fieldOf(key, literals.take(codes.varint())))
        else {
          const sizes = times(key.pieces.length - 1, () => codes.varint())
          const values = sizes.map(size => literals.take(size))
          out.push(...shapedField(key.tag, key.pieces, values))
        }
      }
      out.push(...heldFields(segment, row, numbers))
      messages.push(Uint8Array.from(out))
    }
    if (!codes.done || !numbers.done || !literals.done) throw new Error('bytes are left over')
  }
  return { messages, shapes: keys.filter(key => key.pieces.length > 0).length }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

const block = (bytes: Uint8Array): number[] => [...varint(bytes.length), ...bytes]

function fieldOf(
  key: { readonly tag: number; readonly isAttribute: boolean; readonly name: Uint8Array },
  value: Uint8Array,
): number[] {
  if (key.tag === 0) return [...value]
  if (key.isAttribute) {
    const pair = [0x0a, ...block(key.name), 0x12, ...block(value)]
    return [...varint(key.tag), ...varint(pair.length), ...pair]
  }
  return [...varint(key.tag), ...(key.tag % 8 === 2 ? block(value) : value)]
}

function shapedField(tag: number, pieces: readonly Uint8Array[], values: readonly Uint8Array[]): number[] {
  const text = pieces.flatMap((piece, index) => [...piece, ...(values[index] ?? [])])
  const value = [0x0a, ...block(Uint8Array.from(text))]
  return [...varint(tag), ...varint(value.length), ...value]
}

function heldFields({ signal, texts, columns }: Columns, row: number, numbers: Bytes): number[] {
  const value = (name: string): number | bigint | string => at(columns[name] ?? [], row)
  const fixed64 = (field: number, bits: bigint): number[] => [
    ...varint(field * 8 + 1),
    ...new Uint8Array(new BigUint64Array([BigInt.asUintN(64, bits)]).buffer),
  ]
  const double = (name: string): bigint =>
    new BigUint64Array(new Float64Array([Number(value(name))]).buffer)[0] ?? 0n
  const id = (field: number, name: string): number[] => [
    ...varint(field * 8 + 2),
    ...block(Buffer.from(String(value(name)), 'hex')),
  ]
  const text = (field: number, name: string): number[] => [
    ...varint(field * 8 + 2),
    ...block(new TextEncoder().encode(at(texts, Number(value(name))))),
  ]
  const byte = (field: number, name: string): number[] => [...varint(field * 8), Number(value(name))]
  const fields: Record<DocumentedSegment['signal'], readonly (() => number[])[]> = {
    traces: [
      () => id(1, 'trace id'),
      () => id(2, 'span id'),
      () => id(4, 'parent span id'),
      () => text(5, 'name'),
      () => byte(6, 'kind'),
      () => fixed64(7, BigInt(value('start'))),
      () => fixed64(8, BigInt(value('end'))),
    ],
    logs: [
      () => fixed64(1, BigInt(value('time'))),
      () => byte(2, 'severity'),
      () => id(9, 'trace id'),
      () => id(10, 'span id'),
      () => text(12, 'event name'),
      () => fixed64(11, BigInt(value('time')) + BigInt(numbers.zigzag())),
    ],
    metrics: [
      () => fixed64(2, BigInt(value('start'))),
      () => fixed64(3, BigInt(value('time'))),
      () => fixed64(4, double('value')),
      () => fixed64(6, BigInt(value('value'))),
      () => fixed64(4, BigInt(value('point count'))),
      () => fixed64(5, double('value')),
    ],
  }
  const held = Number(value('held'))
  return fields[signal].flatMap((write, bit) => ((held >> bit) & 1 ? write() : []))
}

function readTraces(
  signal: DocumentedSegment['signal'],
  parts: ReadonlyMap<string, Uint8Array>,
): Pick<DocumentedSegment, 'prefixes' | 'hashes' | 'traceGroups'> {
  if (signal === 'metrics') return { prefixes: [], hashes: [], traceGroups: [] }
  const content = contentOf(parts, 'traces')
  const sorted = (): readonly number[] => sums(content.list(() => content.varint()))
  const [prefixes, hashes] = [sorted(), sorted()]
  const traceGroups = signal === 'traces' ? hashes.map(() => content.varint()) : []
  if (!content.done) throw new Error('bytes are left over')
  return { prefixes, hashes, traceGroups }
}

/** Whether a filter, as the document describes it, says that an entry may be in it. */
export function documentedFilter(
  parts: ReadonlyMap<string, Uint8Array>,
  name: string,
  entry: number,
): boolean {
  const content = contentOf(parts, name)
  const filter = content.block()
  if (!content.done) throw new Error('bytes are left over')
  for (let probe = 0; probe < 7; probe++) {
    const step = (Math.imul(entry, 0x9e3779b1) | 1) >>> 0
    const bit = ((entry + probe * step) % 2 ** 32) % (filter.length * 8)
    if ((at([...filter], bit >> 3) & (1 << (bit & 7))) === 0) return false
  }
  return true
}

function hashOfBytes(seed: number, bytes: Uint8Array): number {
  let h = Math.imul(seed ^ bytes.length, 0x9e3779b1)
  const step = (w: number): void => {
    h = Math.imul(h ^ w, 0x85ebca6b)
    h ^= h >>> 13
  }
  const words = bytes.length - (bytes.length % 4)
  for (let from = 0; from < words; from += 4)
    step(new DataView(Uint8Array.from(bytes).buffer).getInt32(from, true))
  for (const byte of bytes.slice(words)) step(byte)
  return h
}

/** The entry of an attribute in a filter: the key as UTF-8, a kind, and the bytes of the value. */
export function documentedEntry(key: Uint8Array, kind: number, value: Uint8Array): number {
  let h = hashOfBytes(
    hashOfBytes(0x811c9dc5, key) ^ kind,
    kind === 0x0a ? value.map(byte => byte | 0x20) : value,
  )
  h ^= h >>> 16
  h = Math.imul(h, 0x7feb352d)
  return (h ^ (h >>> 15)) >>> 0
}

/** The hash of a trace id as the document describes it. */
export function documentedHash(id: string): number {
  const bytes = Buffer.from(id, 'hex')
  let h = 0x9e3779b9
  for (let word = 0; word < 16; word += 4) {
    h = Math.imul(h ^ bytes.readInt32LE(word), 0x85ebca6b)
    h ^= h >>> 15
  }
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

function readWords(
  signal: DocumentedSegment['signal'],
  parts: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>()
  if (signal !== 'logs') return found
  const directory = contentOf(parts, 'terms').packed()
  const frames = directory.varint()
  for (const [number, first] of directory.list(() => directory.text()).entries()) {
    const read = readWordBlock(contentOf(parts, `terms.${number}`).packed(), frames)
    if (read[0]?.[0] !== first) throw new Error('a block begins with another word')
    for (const [word, named] of read) found.set(word, named)
  }
  if (!directory.done) throw new Error('bytes are left over')
  return found
}

function readWordBlock(content: Bytes, frames: number): readonly (readonly [string, readonly number[]])[] {
  const found: (readonly [string, readonly number[]])[] = []
  const count = content.varint()
  if (content.varint() !== frames) throw new Error('a block is of other frames')
  const [restarts, words, postings] = [0, 1, 2].map(() => new Bytes(content.block()))
  if (restarts === undefined || words === undefined || postings === undefined)
    throw new Error('a section is missing')
  let last: Uint8Array = new Uint8Array()
  let restart = 0
  for (let index = 0; index < count; index++) {
    if (index % 16 === 0) {
      restart += restarts.varint()
      if (restart !== words.at || restarts.varint() !== postings.at)
        throw new Error('a restart points elsewhere')
    }
    const shared = words.varint()
    if (index % 16 === 0 && shared !== 0) throw new Error('a whole word shares bytes')
    last = Uint8Array.from([...last.slice(0, shared), ...words.block()])
    const named = sums(postings.list(() => postings.varint()))
    found.push([
      new TextDecoder().decode(last),
      named.length === 0 ? Array.from({ length: frames }, (_, number) => number) : named,
    ])
  }
  if (!words.done || !postings.done || !restarts.done) throw new Error('bytes are left over')
  return found
}
