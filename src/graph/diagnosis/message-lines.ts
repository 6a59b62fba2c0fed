/**
 * Messages counted by what is logged about them. A sampler hides most of their spans, and seldom their logs: a line that
 * whoever sends, or takes, a message writes once for each, and nobody writes otherwise, stands for all of them.
 */
import { errorSeverity } from './log-lines.ts'
import type { Sample } from './sampling.ts'
import { spanKinds } from './trace-set.ts'

/** A service, as an index into `Names`, and the template of a line of its own. */
export interface Line {
  readonly service: number
  readonly template: number
}

/** What stands for messages of one destination. */
export interface MessageLines {
  readonly sent: Line
  readonly taken: Line
}

type Kind = typeof spanKinds.producer | typeof spanKinds.consumer

/** Messages below which a line may come with them by chance. */
const minMessages = 8
/** A line stands for messages if there is one for each, give or take this part, and at most this part without one. */
const tolerance = 0.1

/** By destination, for those of which there are such lines on both sides; none unless all logs of both were counted. */
export function messageLines(window: Sample, baseline: Sample): ReadonlyMap<number, MessageLines> {
  const found = new Map<number, MessageLines>()
  if (window.tally?.whole !== true || baseline.tally?.whole !== true) return found
  const sent = linesOf(window, baseline, spanKinds.producer)
  if (sent.size === 0) return found
  const taken = linesOf(window, baseline, spanKinds.consumer)
  for (const [destination, line] of sent) {
    const other = taken.get(destination)
    if (other !== undefined) found.set(destination, { sent: line, taken: other })
  }
  return found
}

/** The line of the baseline that comes with messages most exactly, of those that do so in the window as well. */
function linesOf(window: Sample, baseline: Sample, kind: Kind): ReadonlyMap<number, Line> {
  const now = countLines(window, kind)
  const before = countLines(baseline, kind)
  const lines = new Map<number, Line>()
  for (const [destination, messages] of before.messages) {
    if (messages < minMessages) continue
    const telling = [...before.lines.keys()]
      .filter(key => tells(before, destination, key) && tells(now, destination, key))
      .map(key => ({ key, off: Math.abs(before.count(destination, key) - messages) }))
      .sort((a, b) => a.off - b.off || (a.key < b.key ? -1 : 1))
    const line = before.lines.get(telling[0]?.key ?? '')
    if (line !== undefined) lines.set(destination, line)
  }
  return lines
}

/** Without a message seen it tells as long as nobody writes it. */
function tells(counts: LineCounts, destination: number, key: string): boolean {
  const messages = counts.messages.get(destination) ?? 0
  const lines = counts.count(destination, key)
  const elsewhere = (counts.all.get(key) ?? 0) - lines
  return Math.abs(lines - messages) <= tolerance * messages && elsewhere <= tolerance * lines
}

interface LineCounts {
  /** Messages handled in sampled entries, by destination. */
  readonly messages: ReadonlyMap<number, number>
  readonly lines: ReadonlyMap<string, Line>
  /** How often each was written in sampled entries. */
  readonly all: ReadonlyMap<string, number>
  /** The same in entries that handle messages of this destination. */
  count(destination: number, key: string): number
}

function countLines({ set, lines }: Sample, kind: Kind): LineCounts {
  const messages = new Map<number, number>()
  const handling = new Map<number, number>()
  for (let row = 0; row < set.spans; row++) {
    const destination = set.peer[row] ?? 0
    if (set.kind[row] !== kind || destination === 0 || set.failed[row] === 1) continue
    const count = kind === spanKinds.consumer ? Math.max(1, set.links[row] ?? 0) : 1
    messages.set(destination, (messages.get(destination) ?? 0) + count)
    handling.set(set.entry[row] ?? row, destination)
  }
  const known = new Map<string, Line>()
  const all = new Map<string, number>()
  const within = new Map<string, number>()
  for (const { entry, template, severity } of lines) {
    if (severity >= errorSeverity) continue
    const line = { service: set.service[entry] ?? 0, template }
    const key = `${line.service} ${template}`
    known.set(key, line)
    all.set(key, (all.get(key) ?? 0) + 1)
    const destination = handling.get(entry)
    if (destination === undefined) continue
    const inside = `${destination} ${key}`
    within.set(inside, (within.get(inside) ?? 0) + 1)
  }
  return {
    messages,
    lines: known,
    all,
    count: (destination, key) => within.get(`${destination} ${key}`) ?? 0,
  }
}
