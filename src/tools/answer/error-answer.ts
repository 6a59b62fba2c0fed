/** Failures as an agent reads them: a code, the field, what would be taken, an example, near matches. */
import { InvalidInputError, NotFoundError, StoreError } from '../../errors.ts'
import type { ToolAnswer } from '../../model/tool.ts'
import { ArgumentProblem, type Remedy } from '../arguments/problem.ts'
import { showName } from '../text/name.ts'

function json(code: string, message: string, remedy: Remedy): string {
  const { field, accepted, example, near } = remedy
  return JSON.stringify({
    answer: message,
    error: {
      code,
      message,
      ...(field === undefined ? {} : { field }),
      ...(accepted === undefined || accepted.length === 0 ? {} : { accepted: accepted.slice(0, 24) }),
      ...(example === undefined ? {} : { example }),
      ...(near === undefined || near.length === 0 ? {} : { did_you_mean: near.map(name => showName(name)) }),
    },
  })
}

/** The coded answer for a failure of the caller's or the store's; null for anything else, which is passed on. */
export function answerFailure(error: unknown): ToolAnswer | null {
  if (error instanceof ArgumentProblem)
    return { json: json(error.code, error.message, error.remedy), failed: true }
  if (error instanceof InvalidInputError) {
    const remedy = error.field === undefined ? {} : { field: error.field }
    return { json: json(error.code, error.message, remedy), failed: true }
  }
  if (error instanceof NotFoundError) return { json: json(error.code, error.message, {}), failed: true }
  // The message of a store may name files; the process log has it.
  if (error instanceof StoreError)
    return {
      json: json(error.code, 'the store could not be read; the server log says why', {}),
      failed: true,
    }
  return null
}
