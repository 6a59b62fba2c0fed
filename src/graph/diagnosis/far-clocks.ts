/**
 * Clocks so far off that a window holds only one side of a request: the other side lies minutes or hours away. Some
 * traces that are torn in the window are read again, whole and whatever their time.
 */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import { clockOffsets } from './clocks.ts'
import type { ClockOffset } from './diagnosis.ts'
import type { Names } from './names.ts'
import { remoteChildren } from './time-charges.ts'
import type { PickedRows } from './trace-groups.ts'
import { buildTraceSet, spanKinds, type TraceSet } from './trace-set.ts'

/** Traces read that lack a parent: a clock is off in all of them, and a few that were really torn do not hide it. */
const orphanedTraces = 8
/** And of those with calls that nobody answered, which is usual where something sends no telemetry: just enough. */
const openTraces = 4

interface TornWindow {
  readonly set: TraceSet
  readonly names: Names
}

/** Farthest off first, ties by name. Throws what the reader or the deadline throws. */
export async function farClockOffsets(
  reader: TelemetryReader,
  { set, names }: TornWindow,
  deadline: Deadline,
): Promise<readonly ClockOffset[]> {
  const picked: PickedRows[] = []
  for (const traceId of tornTraces(set)) {
    const rows = await reader.trace(traceId)
    deadline.check()
    for (const part of rows?.parts ?? []) picked.push({ block: part.block, rows: part.rows })
  }
  if (picked.length === 0) return []
  return clockOffsets(
    buildTraceSet(picked, names, () => 1, deadline),
    names,
  )
}

/** Ids of traces with spans whose parents are missing, and of those with most calls that have no answer; sorted. */
function tornTraces(set: TraceSet): readonly string[] {
  const orphaned = new Float64Array(set.traces)
  const open = new Float64Array(set.traces)
  const child = remoteChildren(set)
  for (let row = 0; row < set.spans; row++) {
    const trace = set.trace[row] ?? 0
    if (set.orphan[row] === 1) orphaned[trace] = (orphaned[trace] ?? 0) + 1
    else if (set.kind[row] === spanKinds.client && (child[row] ?? -1) < 0)
      open[trace] = (open[trace] ?? 0) + 1
  }
  const chosen = [...most(orphaned, orphanedTraces), ...most(open, openTraces)]
  return [...new Set(chosen.map(trace => set.traceIds[trace] ?? ''))].sort()
}

/** The traces with the highest counts above nothing; ties by their order, which is that of their ids. */
function most(counts: Float64Array, limit: number): readonly number[] {
  const traces = [...counts.keys()].filter(trace => (counts[trace] ?? 0) > 0)
  return traces.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b).slice(0, limit)
}
