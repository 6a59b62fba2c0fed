/** Message plans with their keys as bytes, for reading JSON without making strings of its keys. */
import { viewOf } from '../wire/byte-view.ts'
import type { FieldPlan, MessagePlan } from './json-plan.ts'

export interface ScanField {
  readonly plan: FieldPlan
  /** The key as it stands in JSON, with its quotes. */
  readonly key: Uint8Array
  /** The same with the colon that mostly follows at once, in words; the last one holds the last four bytes. */
  readonly words: Int32Array
  /** Index among the fields of its message, counted from 1. */
  readonly ordinal: number
  /** Null for anything but a message. */
  readonly message: ScanPlan | null
}

export interface ScanPlan {
  /** Fields by the length of their key without quotes. */
  readonly byLength: readonly (readonly ScanField[] | undefined)[]
  /** The field that last came after the field of this ordinal; writers keep their order. */
  readonly following: (ScanField | undefined)[]
  /** The one before that: of an AnyValue two kinds take turns. */
  readonly formerly: (ScanField | undefined)[]
}

const plans = new WeakMap<MessagePlan, ScanPlan>()

/** The scan plan of a message, made once. Messages have fewer than 32 fields. */
export function scanPlanOf(message: MessagePlan): ScanPlan {
  const known = plans.get(message)
  if (known !== undefined) return known
  const byLength: ScanField[][] = []
  const plan: ScanPlan = { byLength, following: [], formerly: [] }
  // Entered before its fields, because AnyValue holds itself.
  plans.set(message, plan)
  const encoder = new TextEncoder()
  let ordinal = 0
  for (const [name, field] of message) {
    ordinal++
    const bucket = byLength[name.length] ?? []
    byLength[name.length] = bucket
    bucket.push({
      plan: field,
      key: encoder.encode(`"${name}"`),
      words: wordsOf(encoder.encode(`"${name}":`)),
      ordinal,
      message: field.message === null ? null : scanPlanOf(field.message),
    })
  }
  return plan
}

/** Of at least four bytes. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const view = viewOf(bytes)
  const words = new Int32Array(Math.ceil(bytes.length / 4))
  for (let index = 0; index < words.length; index++)
    words[index] = view.getInt32(Math.min(index * 4, bytes.length - 4), true)
  return words
}
