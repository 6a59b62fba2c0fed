/**
 * Random export requests in which every field of every message is set, made from the independent facts: what
 * the tables forget still turns up here.
 */
import fc from 'fast-check'
import { enumFacts, type FieldFact, fieldFacts, messageNames } from './otlp-facts.ts'

/** Plain object for the reference encoder: 64-bit integers as text, bytes as Uint8Array. */
export type PlainRequest = Record<string, unknown>

/** Nested lists and maps below an attribute value. */
const maxValueDepth = 2

const anyValue = 'opentelemetry.proto.common.v1.AnyValue'

const text = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' })
const digits = (min: bigint, max: bigint) =>
  fc
    .bigInt({ min, max })
    .filter(value => value !== 0n)
    .map(String)
/** Not zero, which JSON cannot tell from minus zero, and which means absent where absence is the default. */
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter(value => value !== 0),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
)
const nonZero = (min: number, max: number) => fc.integer({ min, max }).filter(value => value !== 0)
const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).filter(value => value.some(byte => byte !== 0))

function scalarOf(fact: FieldFact): fc.Arbitrary<unknown> {
  if (fact.name === 'trace_id') return bytes(16)
  if (fact.name === 'span_id' || fact.name === 'parent_span_id') return bytes(8)
  const values = enumFacts.filter(value => value.enum === fact.type && value.number !== 0)
  if (values.length > 0) return fc.constantFrom(...values.map(value => value.number))
  switch (fact.type) {
    case 'string':
      return text
    case 'bytes':
      return fc.uint8Array({ minLength: 1, maxLength: 8 })
    case 'bool':
      return fc.constant(true)
    case 'double':
      return double
    case 'int64':
    case 'sfixed64':
      return digits(-(2n ** 63n), 2n ** 63n - 1n)
    case 'uint64':
    case 'fixed64':
      return digits(1n, 2n ** 64n - 1n)
    case 'int32':
    case 'sint32':
      return nonZero(-(2 ** 31), 2 ** 31 - 1)
    case 'uint32':
    case 'fixed32':
      return nonZero(1, 2 ** 32 - 1)
    default:
      throw new Error(`no arbitrary for ${fact.message}.${fact.name} of type ${fact.type}`)
  }
}

function fieldOf(fact: FieldFact, depth: number): fc.Arbitrary<unknown> {
  const one = messageNames.includes(fact.type) ? messageOf(fact.type, depth) : scalarOf(fact)
  return fact.repeated ? fc.array(one, { minLength: 1, maxLength: 2 }) : one
}

/** All fields of a message; of a oneof one member, any of them. */
export function messageOf(name: string, depth = 0): fc.Arbitrary<PlainRequest> {
  const nested = name === anyValue ? depth + 1 : depth
  const facts = fieldFacts
    .filter(fact => fact.message === name)
    .filter(fact => nested <= maxValueDepth || !/ArrayValue|KeyValueList/.test(fact.type))
  const always = facts.filter(fact => fact.oneof === '')
  const record = fc.record(Object.fromEntries(always.map(fact => [fact.jsonName, fieldOf(fact, nested)])))
  const members = facts.filter(fact => fact.oneof !== '')
  if (members.length === 0) return record
  const member = fc.oneof(
    ...members.map(fact => fieldOf(fact, nested).map(value => ({ [fact.jsonName]: value }))),
  )
  return fc.tuple(record, member).map(([rest, chosen]) => ({ ...rest, ...chosen }))
}
