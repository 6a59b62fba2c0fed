/**
 * Messages of a segment in small compressed frames: `rowsPerFrame` rows each, so that reading one trace with
 * its attributes unpacks one or two of them. A row is what its columns do not hold: tokens that name
 * dictionary entries, and values that do not repeat. Reading gives back the message, equal field by field;
 * fields the columns held come last.
 */
import type { Block, RecordTable } from '../../model/telemetry.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { DictionaryReader } from './dictionary-reader.ts'
import { heldFieldsOf } from './held-fields.ts'
import { MessageSplitter } from './message-splitter.ts'
import type { PickedRecords } from './picked-records.ts'

/** Measured on real spans: 64 costs a tenth more bytes, 256 saves 4 % and doubles what one trace unpacks. */
export const rowsPerFrame = 128

export interface EncodedRecords {
  /** `heldFieldsOf` bits per row. */
  readonly held: Uint8Array
  readonly dictionary: Uint8Array
  readonly frames: readonly Uint8Array[]
}

/** Encodes the messages of `block` in one pass. */
export function encodeRecords(block: Block, records: PickedRecords): EncodedRecords {
  const splitter = new MessageSplitter(heldFieldsOf(block))
  const held = new Uint8Array(block.count)
  const frames: Uint8Array[] = []
  for (let start = 0; start < block.count; start += rowsPerFrame) {
    const end = Math.min(block.count, start + rowsPerFrame)
    splitRows(splitter, records, start, end, held)
    frames.push(splitter.takeFrame())
  }
  return { held, dictionary: splitter.dictionary.done(), frames }
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

/** Which frames hold the rows (all if null), ascending. */
export function framesOf(rows: readonly number[] | null, count: number): readonly number[] {
  const frames = Math.ceil(count / rowsPerFrame)
  if (rows === null) return Array.from({ length: frames }, (_, frame) => frame)
  const wanted = new Set<number>()
  for (const row of rows) if (row >= 0 && row < count) wanted.add(Math.floor(row / rowsPerFrame))
  return [...wanted].sort((a, b) => a - b)
}

/** Puts the messages of `rows` (all if null) together; `frames` holds the content of those `framesOf` named. */
export function decodeRecords(
  block: Block,
  held: Uint8Array,
  dictionary: DictionaryReader,
  frames: ReadonlyMap<number, Uint8Array>,
  rows: readonly number[] | null,
): RecordTable {
  const wanted = rows === null ? null : new Set(rows)
  const offset = new Uint32Array(block.count)
  const length = new Uint32Array(block.count)
  const fields = heldFieldsOf(block)
  const out = new ByteWriter((rows?.length ?? block.count) * 512)
  const unwanted = new ByteWriter(64)
  for (const [frame, content] of frames) {
    const sections = new ByteReader(content)
    const codes = new ByteReader(sections.block())
    const numbers = new ByteReader(sections.block())
    const literals = new ByteReader(sections.block())
    const end = Math.min(block.count, (frame + 1) * rowsPerFrame)
    for (let row = frame * rowsPerFrame; row < end; row++) {
      const keep = wanted === null || wanted.has(row)
      const start = out.length
      const count = codes.varint()
      for (let token = 0; token < count; token++) {
        const code = codes.varint()
        if (code % 2 === 0) {
          if (keep) dictionary.writeEntry(code / 2, out)
          continue
        }
        const value = literals.raw(codes.varint())
        if (keep) dictionary.writeLiteral((code - 1) / 2, value, out)
      }
      // Rows in between are passed over in the streams; only numbers have to be read to do so.
      unwanted.length = 0
      fields.write(keep ? out : unwanted, row, held[row] as number, numbers)
      if (!keep) continue
      offset[row] = start
      length[row] = out.length - start
    }
  }
  return { bytes: out.done(), offset, length }
}
