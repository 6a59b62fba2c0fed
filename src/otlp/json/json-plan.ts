/** Field tables prepared for writing protobuf out of parsed JSON: by JSON name, with everything at hand. */
import type { FieldType } from '../fields/field-table.ts'
import { enumNumbers, type FieldShape, type MessageShape } from '../fields/message-shape.ts'

export interface FieldPlan {
  readonly name: string
  readonly number: number
  readonly type: FieldType
  readonly repeated: boolean
  readonly packed: boolean
  /** Tag of one value, and of a packed run. */
  readonly tag: number
  readonly packedTag: number
  /** Written even when it holds the default. */
  readonly presence: boolean
  readonly idBytes: 0 | 8 | 16
  /** Null for anything but an enum. */
  readonly enumNumbers: ReadonlyMap<string, number> | null
  /** Null for anything but a message. */
  readonly message: MessagePlan | null
  /** Bytes the length of this field's last content took, the best guess for the next. */
  lengthBytes: number
}

export type MessagePlan = ReadonlyMap<string, FieldPlan>

const plans = new Map<string, Map<string, FieldPlan>>()

/** The plan of a message, made once. */
export function planOf(shape: MessageShape): MessagePlan {
  const known = plans.get(shape.name)
  if (known !== undefined) return known
  const plan = new Map<string, FieldPlan>()
  // Entered before its fields, because AnyValue holds itself.
  plans.set(shape.name, plan)
  for (const field of shape.fields) plan.set(field.spec.jsonName, fieldPlan(field))
  return plan
}

function fieldPlan(field: FieldShape): FieldPlan {
  const { spec } = field
  return {
    name: spec.jsonName,
    number: spec.number,
    type: spec.type,
    repeated: spec.repeated,
    packed: field.packable,
    tag: field.tag,
    packedTag: (spec.number << 3) | 2,
    presence: field.presence,
    idBytes: spec.idBytes,
    enumNumbers: spec.type === 'enum' ? enumNumbers(spec.typeName) : null,
    message: field.message === null ? null : planOf(field.message),
    lengthBytes: 1,
  }
}
