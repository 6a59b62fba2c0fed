/** Damages that keep the structure around them intact, so that they reach what lies deep inside. */

export type Random = (below: number) => number

interface Field {
  readonly start: number
  /** Where the value begins, behind tag and length. */
  readonly valueStart: number
  readonly end: number
  readonly tag: number
  readonly wire: number
}

/** Fields of a message, or null where the bytes are none. */
function fieldsOf(bytes: Uint8Array): readonly Field[] | null {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length; ) {
    const start = at
    const tag = varintAt(bytes, at)
    if (tag === null || tag.value < 8 || tag.value > 0xffff) return null
    at = tag.end
    const wire = tag.value & 7
    let valueStart = at
    if (wire === 0) {
      const value = varintAt(bytes, at)
      if (value === null) return null
      at = value.end
    } else if (wire === 1) at += 8
    else if (wire === 5) at += 4
    else if (wire === 2) {
      const length = varintAt(bytes, at)
      if (length === null) return null
      valueStart = length.end
      at = length.end + length.value
    } else return null
    if (at > bytes.length) return null
    fields.push({ start, valueStart, end: at, tag: tag.value, wire })
  }
  return fields
}

function varintAt(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } | null {
  let value = 0
  for (let at = from, scale = 1; at < bytes.length && at < from + 10; at++, scale *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte & 127) * scale
    if (byte < 128) return { value, end: at + 1 }
  }
  return null
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let left = value
  while (left > 127) {
    bytes.push((left % 128) | 128)
    left = Math.floor(left / 128)
  }
  return [...bytes, left]
}

function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

/** Values at the edges of what fields may hold. */
const extremes: readonly (readonly number[])[] = [
  [0],
  [1],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0x80, 0x00],
]

/** One damage to a field somewhere inside; the lengths around it are mended. */
export function mutateMessage(bytes: Uint8Array, random: Random, depth = 0): Uint8Array {
  const fields = fieldsOf(bytes)
  const field = fields === null || fields.length === 0 ? undefined : fields[random(fields.length)]
  if (field === undefined) return join(bytes, [random(256), random(256)])
  const before = bytes.subarray(0, field.start)
  const after = bytes.subarray(field.end)
  const whole = bytes.subarray(field.start, field.end)
  const value = bytes.subarray(field.valueStart, field.end)
  if (field.wire === 2 && depth < 12 && random(4) > 0 && fieldsOf(value) !== null && value.length > 0) {
    const inner = mutateMessage(value, random, depth + 1)
    return join(before, varint(field.tag), varint(inner.length), inner, after)
  }
  return join(before, damaged(field, whole, value, random), after)
}

function damaged(field: Field, whole: Uint8Array, value: Uint8Array, random: Random): Uint8Array {
  const extreme = extremes[random(extremes.length)] ?? [0]
  switch (random(9)) {
    case 0:
      return new Uint8Array()
    case 1:
      return join(whole, whole)
    case 2:
      // The same field with another wire type.
      return join(varint((field.tag & ~7) | random(6)), value)
    case 3:
      return join(varint(field.tag & ~7), extreme)
    case 4:
      return join(varint((field.tag & ~7) | 2), extreme, value)
    case 5:
      return join(varint((random(64) << 3) | field.wire), whole.subarray(field.valueStart - field.start))
    case 6:
      return nested(field.tag, value, 1 + random(200))
    case 7: {
      const noise = Uint8Array.from({ length: random(40) }, () => random(256))
      return join(varint((field.tag & ~7) | 2), varint(noise.length), noise)
    }
    default: {
      const copy = Uint8Array.from(whole)
      if (copy.length > 0) copy[random(copy.length)] = random(256)
      return copy
    }
  }
}

/** The value inside itself, again and again. */
function nested(tag: number, value: Uint8Array, times: number): Uint8Array {
  let inner = value.subarray(0, 64)
  const lengthTag = (tag & ~7) | 2
  for (let depth = 0; depth < times; depth++) inner = join(varint(lengthTag), varint(inner.length), inner)
  return inner
}

/** What JSON senders get wrong. */
const oddValues: readonly unknown[] = [
  null,
  true,
  '',
  0,
  -1,
  1e308,
  -0.5,
  '18446744073709551616',
  '-9223372036854775809',
  'NaN',
  '0x10',
  '\ud800',
  'ZZ',
  '00'.repeat(16),
  [],
  {},
  [[[[[]]]]],
  { intValue: {} },
]

/** One odd value somewhere in a JSON text; text that cannot be parsed comes back as it is. */
export function mutateJson(text: string, random: Random): string {
  const value: unknown = JSON.parse(text)
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push({ holder: node as Record<string, unknown>, key }) // arrays have keys too
      visit((node as Record<string, unknown>)[key])
    }
  }
  visit(value)
  const place = places[random(Math.max(1, places.length))]
  if (place === undefined) return text
  const { holder, key } = place
  switch (random(5)) {
    case 0:
      delete holder[key]
      break
    case 1:
      holder[`${key}${random(10)}`] = holder[key]
      break
    case 2:
      holder[key] = deep(random(300))
      break
    case 3:
      holder[key] = [holder[key], holder[key]]
      break
    default:
      holder[key] = oddValues[random(oddValues.length)]
  }
  return JSON.stringify(value)
}

function deep(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++)
    value = level % 2 === 0 ? [value] : { arrayValue: { values: value } }
  return value
}
