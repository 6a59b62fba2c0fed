/**
 * Positions in the data as users see and send them: `<first eight digits of the inbox id>-<position>`, with the
 * receive time of that position behind an `@`. The time is for people; it is echoed and never relied on.
 */
import type { AsOf, TelemetryReader } from '../../model/reader.ts'
import type { TimeRange } from '../../model/time.ts'
import { ArgumentProblem } from '../arguments/problem.ts'
import { formatTime } from '../arguments/time-argument.ts'

export function formatAsOf(asOf: AsOf): string {
  return `${asOf.inboxId.slice(0, 8)}-${asOf.position}@${formatTime(asOf.timeMs)}`
}

function superseded(current: string, what: string): never {
  throw new ArgumentProblem('as_of_superseded', `${what}; the current as_of is ${current}`, {
    field: 'as_of',
    accepted: ['the current as_of, or none'],
    example: current,
  })
}

/** The position that `text` names in the reader's data. Throws ArgumentProblem for one that is not of it. */
export function readAsOf(text: string, reader: TelemetryReader): number {
  const match = /^([0-9a-f]{8})-(\d{1,15})(@[\dTZ:.-]{1,24})?$/.exec(text)
  const current = formatAsOf(reader.asOf)
  if (match === null) {
    throw new ArgumentProblem('invalid_as_of', 'as_of is not a position', {
      field: 'as_of',
      accepted: ['the as_of of an earlier answer'],
      example: current,
    })
  }
  if (match[1] !== reader.asOf.inboxId.slice(0, 8))
    superseded(current, 'as_of is of other data than is served now')
  const position = Number(match[2])
  if (position > reader.asOf.position) superseded(current, 'as_of lies ahead of what can be read here')
  return position
}

/** Throws ArgumentProblem `as_of_superseded` if data after `position` has reached one of the ranges. */
export async function refuseIfSuperseded(
  position: number,
  ranges: readonly TimeRange[],
  reader: TelemetryReader,
): Promise<void> {
  if (position === reader.asOf.position) return
  for (const range of ranges) {
    if ((await reader.newestPosition(range)) > position)
      superseded(formatAsOf(reader.asOf), 'newer data has reached the window')
  }
}
