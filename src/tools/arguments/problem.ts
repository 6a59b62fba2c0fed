/** What is wrong with an argument, with everything an agent needs to send the right one next. */
import { InvalidInputError } from '../../errors.ts'

export interface Remedy {
  /** The argument concerned. */
  readonly field?: string
  /** Forms or values that would be taken; never text out of telemetry. */
  readonly accepted?: readonly string[]
  readonly example?: unknown
  /** Near matches, best first; plain names only. */
  readonly near?: readonly string[]
}

/** A wrong argument. `message` names what is wrong and never repeats free text of telemetry. */
export class ArgumentProblem extends InvalidInputError {
  readonly remedy: Remedy

  constructor(code: ProblemCode, message: string, remedy: Remedy = {}) {
    super(code, message, remedy.field === undefined ? {} : { field: remedy.field })
    this.remedy = remedy
  }
}

/** Codes of wrong arguments; stable, for programs. */
export type ProblemCode =
  | 'unknown_argument'
  | 'invalid_argument'
  | 'missing_argument'
  | 'invalid_time'
  | 'ambiguous_time'
  | 'invalid_window'
  | 'no_such_entity'
  | 'ambiguous_trace_id'
  | 'invalid_cursor'
  | 'invalid_as_of'
  | 'as_of_superseded'
  | 'as_of_needs_absolute_times'
  | 'tenant_not_allowed'
