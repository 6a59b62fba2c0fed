/** Which rows have an attribute, told from their codes: messages are not put together, dictionaries looked at once. */
import { valueAt, valueText } from '../../otlp/any-value.ts'
import { hasAttribute, type WantedAttribute } from '../search/attribute-match.ts'
import type { DecodedColumns } from './block-codec.ts'
import { ByteReader } from './bytes.ts'
import { type DictionaryReader, rawTag } from './dictionary-reader.ts'
import { attributeTagOf, rowsPerFrame } from './record-frames.ts'

export type { WantedAttribute } from '../search/attribute-match.ts'

/** A flag for each row of the columns; of those that are told only by their message, 1 as well. */
export function attributeRows(
  { block, firstRow }: DecodedColumns,
  dictionary: DictionaryReader,
  frames: ReadonlyMap<number, Uint8Array>,
  wanted: WantedAttribute,
): Uint8Array {
  const flags = new Uint8Array(block.count)
  const tag = attributeTagOf(block.signal)
  const text = wanted.value.toLowerCase()
  const key = Buffer.from(wanted.key, 'utf8')
  const chunks = dictionary.chunksWhere((bytes, from, to) =>
    hasAttribute(bytes.subarray(from, to), tag, wanted),
  )
  // An attribute of unusual form stands as a plain field.
  const keys = dictionary.keysWhere(
    (of, name) => of === rawTag || (of === tag && (name === null || Buffer.compare(name, key) === 0)),
  )
  const plain = dictionary.keysWhere((of, name) => of === rawTag || (of === tag && name === null))
  const size = rowsPerFrame(block.signal)
  for (const [frame, content] of frames) {
    const sections = new ByteReader(content)
    const codes = new ByteReader(sections.block())
    sections.block()
    const literals = new ByteReader(sections.block())
    const start = frame * size - firstRow
    const end = Math.min(block.count, start + size)
    for (let row = start; row < end; row++) {
      for (let left = codes.varint(); left > 0; left--) {
        const code = codes.varint()
        if (code % 2 === 0) {
          if (chunks[code / 2] === 1) flags[row] = 1
          continue
        }
        const number = (code - 1) / 2
        if (keys[number] !== 1) {
          dictionary.skipValue(number, codes, literals)
          continue
        }
        const length = codes.varint()
        const value = literals.raw(length)
        if (plain[number] === 1 || valueText(valueAt(value, 0, length)).toLowerCase() === text) flags[row] = 1
      }
    }
  }
  return flags
}
