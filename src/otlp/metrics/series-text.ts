/**
 * A point's attributes as canonical text `k=v,k=v`: keys sorted, and backslash, comma and equals sign escaped
 * by a backslash, so that two sets of attributes never have the same text (but for the types of their values:
 * the string 1 and the integer 1 are one series). Our own mark of cut values is no part of it.
 */
import { type AttributeValue, keyValueAt, valueText } from '../any-value.ts'
import { truncatedAttributeKey } from '../rewrite-record.ts'
import { scanAttribute } from '../wire/attribute-scan.ts'
import { cursor, readLength, readTag } from '../wire/varint.ts'

/** Depth of an attribute of a data point: request, groups, metric, data, point. */
const pointAttributeDepth = 7

/** From the attribute fields of a point, standing next to each other. Throws when they are not well formed. */
export function seriesTextAt(bytes: Uint8Array, from: number, to: number): string {
  const pairs = new Map<string, AttributeValue>()
  for (let pos = from; pos < to; ) {
    readTag(bytes, pos, to)
    const length = readLength(bytes, cursor.next, to)
    pos = cursor.next + length
    scanAttribute(bytes, pos - length, pos, pointAttributeDepth)
    const { key, value } = keyValueAt(bytes, pos - length, pos)
    if (key !== truncatedAttributeKey) pairs.set(key, value)
  }
  return [...pairs.keys()]
    .sort()
    .map(key => `${escaped(key)}=${escaped(valueText(pairs.get(key) ?? null))}`)
    .join(',')
}

function escaped(text: string): string {
  return /[\\,=]/.test(text) ? text.replace(/[\\,=]/g, '\\$&') : text
}

/** Keys and values of a series text, in its order. */
export function parseSeriesText(text: string): readonly (readonly [key: string, value: string])[] {
  if (text === '') return []
  const pairs: [string, string][] = []
  let key: string | null = null
  let part = ''
  for (let i = 0; i <= text.length; i++) {
    const character = text[i]
    if (character === '\\') part += text[++i] ?? ''
    else if (character === '=' && key === null) {
      key = part
      part = ''
    } else if (character === ',' || character === undefined) {
      pairs.push([key ?? '', part])
      key = null
      part = ''
    } else part += character
  }
  return pairs
}
