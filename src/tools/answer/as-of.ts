/**
 * Positions in the data as users see and send them: `<first eight digits of the inbox id>-<position>`, with
 * `.<generation>` once data has been removed or made coarser, and the receive time of that position behind an
 * `@`. The time is for people; it is echoed and never relied on.
 */
import type { AsOf, TelemetryReader } from '../../model/reader.ts'
import type { TimeRange } from '../../model/time.ts'
import { ArgumentProblem } from '../arguments/problem.ts'
import { formatTime } from '../arguments/time-argument.ts'

export function formatAsOf(asOf: AsOf): string {
  const generation = asOf.generation === 0 ? '' : `.${asOf.generation}`
  return `${asOf.inboxId.slice(0, 8)}-${asOf.position}${generation}@${formatTime(asOf.timeMs)}`
}

function superseded(current: string, what: string): never {
  throw new ArgumentProblem('as_of_superseded', `${what}; the current as_of is ${current}`, {
    field: 'as_of',
    accepted: ['the current as_of, or none'],
    example: current,
  })
}

/** Where an answer stands in the reader's data. */
export interface Standing {
  readonly position: number
  readonly generation: number
}

/** What `text` names in the reader's data. Throws ArgumentProblem for one that is not of it. */
export function readAsOf(text: string, reader: TelemetryReader): Standing {
  const match = /^([0-9a-f]{8})-(\d{1,15})(?:\.(\d{1,15}))?(@[\dTZ:.-]{1,24})?$/.exec(text)
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
  const generation = Number(match[3] ?? 0)
  if (position > reader.asOf.position || generation > reader.asOf.generation)
    superseded(current, 'as_of lies ahead of what can be read here')
  return { position, generation }
}

/**
 * Throws ArgumentProblem `as_of_superseded` if later data has reached one of the ranges, or if data of them
 * has been removed or made coarser since.
 */
export async function refuseIfSuperseded(
  { position, generation }: Standing,
  ranges: readonly TimeRange[],
  reader: TelemetryReader,
): Promise<void> {
  const { asOf } = reader
  if (position === asOf.position && generation === asOf.generation) return
  for (const range of ranges) {
    if (generation < asOf.generation && (await reader.retiredSince(generation, range)))
      superseded(formatAsOf(asOf), 'data of the window was removed or made coarser since')
    if ((await reader.newestPosition(range)) > position)
      superseded(formatAsOf(reader.asOf), 'newer data has reached the window')
  }
}
