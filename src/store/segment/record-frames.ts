/**
 * Messages of a segment in small compressed frames, so that reading one trace with its attributes unpacks one
 * or two of them. A row is what its columns do not hold: tokens that name
 * dictionary entries, and values that do not repeat. Reading gives back the message, equal field by field;
 * fields the columns held come last.
 */
import type { Block, RecordTable, Signal } from '../../model/telemetry.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { DictionaryReader } from './dictionary-reader.ts'
import { heldFieldsOf } from './held-fields.ts'
import { MessageSplitter } from './message-splitter.ts'
import type { PickedRecords } from './picked-records.ts'
import type { ShapedRows } from './shaped-rows.ts'

/**
 * Rows of one frame. Compressing costs about 20 µs a call, a sixth of the time of sealing spans at 128 rows;
 * 512 take that to a twentieth and 4 % off the bytes, and a trace unpacks 40 kB in a tenth of a millisecond.
 * Log search reads whole frames that may hold a word, so those stay small.
 */
export function rowsPerFrame(signal: Signal): number {
  return signal === 'logs' ? 128 : 512
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

/** Encodes the messages of `block` in one pass. `pack` gets the content of each frame, which it must not keep. */
export function encodeRecords(
  block: Block,
  records: PickedRecords,
  pack: (content: Uint8Array) => Uint8Array,
): EncodedRecords {
  const splitter = new MessageSplitter(heldFieldsOf(block), block.signal === 'logs' ? block.count : 0)
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

/** Which frames of a block hold the rows (all if null), ascending. */
export function framesOf(rows: readonly number[] | null, block: Block): readonly number[] {
  const { count } = block
  const size = rowsPerFrame(block.signal)
  const frames = Math.ceil(count / size)
  if (rows === null) return Array.from({ length: frames }, (_, frame) => frame)
  const wanted = new Set<number>()
  for (const row of rows) if (row >= 0 && row < count) wanted.add(Math.floor(row / size))
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
  const size = rowsPerFrame(block.signal)
  const out = new ByteWriter((rows?.length ?? block.count) * 512)
  const unwanted = new ByteWriter(64)
  for (const [frame, content] of frames) {
    const sections = new ByteReader(content)
    const codes = new ByteReader(sections.block())
    const numbers = new ByteReader(sections.block())
    const literals = new ByteReader(sections.block())
    const end = Math.min(block.count, (frame + 1) * size)
    for (let row = frame * size; row < end; row++) {
      const keep = wanted === null || wanted.has(row)
      const start = out.length
      const count = codes.varint()
      for (let token = 0; token < count; token++) {
        const code = codes.varint()
        if (code % 2 === 0) {
          if (keep) dictionary.writeEntry(code / 2, out)
          continue
        }
        if (keep) dictionary.writeValue((code - 1) / 2, codes, literals, out)
        else dictionary.skipValue((code - 1) / 2, codes, literals)
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
