/**
 * Messages of a segment in small compressed frames, so that reading one trace with its attributes unpacks one
 * or two of them. A row is what its columns do not hold: tokens that name
 * dictionary entries, and values that do not repeat. Reading gives back the message, equal field by field;
 * fields the columns held come last.
 */
import type { Block, RecordTable, Signal } from '../../model/telemetry.ts'
import type { AttributeFilterBuilder } from './attribute-filter.ts'
import type { DecodedColumns } from './block-codec.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { DictionaryReader } from './dictionary-reader.ts'
import { heldFieldsOf } from './held-fields.ts'
import { MessageSplitter } from './message-splitter.ts'
import type { PickedRecords } from './picked-records.ts'
import type { Scratch } from './scratch.ts'
import { ShapedRows } from './shaped-rows.ts'
import { TextShapes } from './text-shapes.ts'

/**
 * Rows of one frame. Compressing costs about 20 µs a call, a sixth of the time of sealing spans at 128 rows;
 * 512 take that to a twentieth and 4 % off the bytes, and a trace unpacks 40 kB in a tenth of a millisecond.
 * Log search reads whole frames that may hold a word, so those stay small.
 */
export function rowsPerFrame(signal: Signal): number {
  return signal === 'logs' ? 128 : 512
}

/** Tag of the attributes of a Span, a LogRecord; 0 where they are not told. */
export function attributeTagOf(signal: Signal): number {
  return { traces: 0x4a, logs: 0x32, metrics: 0 }[signal]
}

export interface EncodedRecords {
  /** `heldFieldsOf` bits per row. */
  readonly held: Uint8Array
  readonly dictionary: Uint8Array
  /** As `pack` made them. */
  readonly frames: readonly Uint8Array[]
  /** Of log records; null of others. */
  readonly shaped: ShapedRows | null
}

/** What encoding takes besides the records. */
export interface EncodingRecords {
  /** What is said of shapes lies in it. */
  readonly scratch: Scratch
  /** Hears of attributes. */
  readonly attributes: AttributeFilterBuilder | null
  /** Gets the content of each frame, which it must not keep. */
  pack(content: Uint8Array): Uint8Array
}

/** Encodes the messages of `block` in one pass. */
export function encodeRecords(
  block: Block,
  records: PickedRecords,
  { scratch, attributes, pack }: EncodingRecords,
): EncodedRecords {
  const shaped = block.signal === 'logs' ? new ShapedRows(block.count, new TextShapes(), scratch) : null
  const splitter = new MessageSplitter(heldFieldsOf(block), shaped, attributes, attributeTagOf(block.signal))
  const held = new Uint8Array(block.count)
  const frames: Uint8Array[] = []
  const size = rowsPerFrame(block.signal)
  for (let start = 0; start < block.count; start += size) {
    const end = Math.min(block.count, start + size)
    splitRows(splitter, records, start, end, held)
    frames.push(pack(splitter.takeFrame()))
  }
  return { held, dictionary: splitter.dictionary.done(), frames, shaped: splitter.shaped }
}

/** A loop with a function of its own is compiled once and kept; inside `encodeRecords` it was thrown away. */
function splitRows(
  splitter: MessageSplitter,
  records: PickedRecords,
  start: number,
  end: number,
  held: Uint8Array,
): void {
  for (let row = start; row < end; row++) held[row] = splitter.split(records, row)
}

/** Which frames of the segment hold the rows (all if null), ascending. */
export function framesOf(
  rows: readonly number[] | null,
  { block, firstRow, picked }: DecodedColumns,
): readonly number[] {
  const { count } = block
  const size = rowsPerFrame(block.signal)
  const first = firstRow / size
  if (rows === null && picked === undefined)
    return Array.from({ length: Math.ceil(count / size) }, (_, frame) => first + frame)
  const wanted = new Set<number>()
  for (const row of rows ?? block.flags.keys())
    if (row >= 0 && row < count) wanted.add(first + Math.floor((picked?.[row] ?? row) / size))
  return [...wanted].sort((a, b) => a - b)
}

/** Rows of the group, and which row of the block each is, of those that are wanted; null for all as they are. */
function placesOf(
  { block, picked }: DecodedColumns,
  rows: readonly number[] | null,
): ReadonlyMap<number, number> | null {
  if (rows === null && picked === undefined) return null
  const places = new Map<number, number>()
  for (const row of rows ?? block.flags.keys()) places.set(picked?.[row] ?? row, row)
  return places
}

/** Puts the messages of `rows` (all if null) together; `frames` holds the content of those `framesOf` named. */
export function decodeRecords(
  columns: DecodedColumns,
  dictionary: DictionaryReader,
  frames: ReadonlyMap<number, Uint8Array>,
  rows: readonly number[] | null,
): RecordTable {
  const { block, held, firstRow } = columns
  const places = placesOf(columns, rows)
  const offset = new Uint32Array(block.count)
  const length = new Uint32Array(block.count)
  const fields = heldFieldsOf(block)
  const size = rowsPerFrame(block.signal)
  const out = new ByteWriter((places?.size ?? block.count) * 512)
  const last = places === null ? block.count - 1 : Math.max(...places.keys())
  for (const [frame, content] of frames) {
    const sections = new ByteReader(content)
    const codes = new ByteReader(sections.block())
    const numbers = new ByteReader(sections.block())
    const literals = new ByteReader(sections.block())
    const start = frame * size - firstRow
    const end = Math.min(last + 1, start + size)
    for (let row = start; row < end; row++) {
      const place = places === null ? row : places.get(row)
      const from = out.length
      const count = codes.varint()
      for (let token = 0; token < count; token++) {
        const code = codes.varint()
        if (code % 2 === 0) {
          if (place !== undefined) dictionary.writeEntry(code / 2, out)
          continue
        }
        if (place !== undefined) dictionary.writeValue((code - 1) / 2, codes, literals, out)
        else dictionary.skipValue((code - 1) / 2, codes, literals)
      }
      // Rows in between are passed over in the streams; only numbers have to be read to do so, and spans have none.
      if (place === undefined) {
        if (((held[row] ?? 0) & fields.numbered) !== 0) numbers.zigzag()
        continue
      }
      fields.write(out, place, held[place] as number, numbers)
      offset[place] = from
      length[place] = out.length - from
    }
  }
  return { bytes: out.done(), offset, length }
}
