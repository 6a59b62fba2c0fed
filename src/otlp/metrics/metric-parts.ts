/** Cuts a Metric message in two: what describes it, and where its data points are. */
import { ByteWriter } from '../wire/byte-writer.ts'
import { cursor, readLength, readTag, skipValue } from '../wire/varint.ts'
import { type PointLayout, pointLayouts } from './point-layout.ts'

/** One Metric at a time; used again for the next. */
export class MetricParts {
  /** The message without its data points. */
  readonly head: ByteWriter = new ByteWriter()
  /** Null for a metric without data of a known kind. */
  layout: PointLayout | null = null
  /** Ranges of the data messages that count: pairs of start and end. */
  readonly dataRanges: number[] = []

  /**
   * Reads `bytes[from, to)`. `data` is a oneof: of different kinds the last one counts and takes the place of
   * those before it, messages of one kind in a row are one.
   */
  read(bytes: Uint8Array, from: number, to: number): void {
    this.layout = null
    this.dataRanges.length = 0
    for (let pos = from; pos < to; ) {
      const tag = readTag(bytes, pos, to)
      const content = cursor.next
      pos = skipValue(bytes, content, to, tag & 7)
      const layout = (tag & 7) === 2 ? pointLayouts.get(tag >>> 3) : undefined
      if (layout === undefined) continue
      if (layout !== this.layout) this.dataRanges.length = 0
      this.layout = layout
      this.dataRanges.push(pos - readLength(bytes, content, to), pos)
    }
    this.#copyHead(bytes, from, to)
  }

  #copyHead(bytes: Uint8Array, from: number, to: number): void {
    const head = this.head
    head.reset()
    for (let pos = from; pos < to; ) {
      const start = pos
      const tag = readTag(bytes, pos, to)
      pos = skipValue(bytes, cursor.next, to, tag & 7)
      if ((tag & 7) !== 2 || !pointLayouts.has(tag >>> 3)) head.raw(bytes, start, pos)
    }
    if (this.layout === null) return
    const field = fieldOf(this.layout)
    for (let i = 0; i < this.dataRanges.length; i += 2) {
      head.varint32((field << 3) | 2)
      const begun = head.beginLength(1)
      copyWithoutPoints(bytes, this.dataRanges[i] ?? 0, this.dataRanges[i + 1] ?? 0, head)
      head.endLength(begun, 1)
    }
  }
}

function fieldOf(layout: PointLayout): number {
  for (const [field, entry] of pointLayouts) if (entry === layout) return field
  return 0
}

function copyWithoutPoints(bytes: Uint8Array, from: number, to: number, head: ByteWriter): void {
  for (let pos = from; pos < to; ) {
    const start = pos
    const tag = readTag(bytes, pos, to)
    pos = skipValue(bytes, cursor.next, to, tag & 7)
    if (tag !== 0x0a) head.raw(bytes, start, pos)
  }
}
