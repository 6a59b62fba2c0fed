/** protobufjs types built from the independent facts: an encoder and decoder that share nothing with ours. */
import protobuf from 'protobufjs'
import { enumFacts, fieldFacts, messageNames } from './otlp-facts.ts'

function place(root: protobuf.Root, fullName: string): { parent: protobuf.NamespaceBase; name: string } {
  const path = fullName.split('.')
  const name = path.pop() ?? ''
  // A lookup would also find the end of a longer name.
  return { parent: root.define(path), name }
}

function buildRoot(packed: boolean): protobuf.Root {
  const root = new protobuf.Root()
  // Outer messages sort before those inside them.
  for (const fullName of [...messageNames].sort()) {
    const { parent, name } = place(root, fullName)
    parent.add(new protobuf.Type(name))
  }
  for (const fullName of new Set(enumFacts.map(fact => fact.enum))) {
    const { parent, name } = place(root, fullName)
    const values = enumFacts.filter(fact => fact.enum === fullName)
    parent.add(new protobuf.Enum(name, Object.fromEntries(values.map(fact => [fact.name, fact.number]))))
  }
  for (const fact of fieldFacts) {
    const type = root.lookupType(fact.message)
    const options = fact.repeated ? { packed } : undefined
    const rule = fact.repeated ? 'repeated' : undefined
    const field = new protobuf.Field(fact.jsonName, fact.number, fact.type, rule, undefined, options)
    if (fact.oneof === '') {
      type.add(field)
      continue
    }
    const oneof = type.oneofs?.[fact.oneof] ?? new protobuf.OneOf(fact.oneof)
    if (oneof.parent === null) type.add(oneof)
    oneof.add(field)
  }
  root.resolveAll()
  return root
}

const packedRoot = buildRoot(true)
const unpackedRoot = buildRoot(false)

/** The type of that full name; repeated numbers are written packed or one by one. */
export function referenceType(name: string, packed = true): protobuf.Type {
  return (packed ? packedRoot : unpackedRoot).lookupType(name)
}

/** Encodes a plain object: 64-bit integers as text, bytes as Uint8Array. */
export function encodeReference(name: string, value: object, packed = true): Uint8Array {
  const type = referenceType(name, packed)
  return new Uint8Array(type.encode(type.fromObject(value)).finish())
}

/** Decodes to a plain object with 64-bit integers as text, bytes as base64, enums as numbers, no defaults. */
export function decodeReference(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = referenceType(name)
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, enums: Number })
}
