/** Traces in which a service failed, and others that pass through it: where failures can be seen to spread. */
import { Names } from '../../graph/diagnosis/names.ts'
import { sourceWeights } from '../../graph/diagnosis/source-sampling.ts'
import { buildTraceSet } from '../../graph/diagnosis/trace-set.ts'
import { measureSpread, type Spread } from '../../graph/scenario/spread.ts'
import type { TraceRows } from '../../model/reader.ts'
import { toMs } from '../../model/time.ts'
import type { ToolContext } from '../tool.ts'
import { hexAt } from './hex-id.ts'
import { maxSpansRead } from './span-groups.ts'

/** Traces read to measure how failures spread, failed and other ones: shares are then known to some percent. */
const maxFailed = 150
const maxOthers = 100

/** The smallest ids of all that were added: for random ids an even sample, the same in any order. */
class SmallestIds {
  private ids = new Set<string>()
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  add(id: string): void {
    this.ids.add(id)
    if (this.ids.size > this.limit * 16) this.ids = new Set(this.list())
  }

  list(): readonly string[] {
    return [...this.ids].sort().slice(0, this.limit)
  }
}

/** Traces of the window that pass through the service: those where it failed, and others to compare with. */
async function tracesThrough(
  service: string,
  { reader, window, deadline }: ToolContext,
): Promise<readonly TraceRows[]> {
  const failed = new SmallestIds(maxFailed)
  const others = new SmallestIds(maxOthers)
  let read = 0
  for await (const { block } of reader.scanSpans({ range: window, order: 'newest_first' })) {
    deadline.check()
    for (let row = 0; row < block.count; row++) {
      const own = block.resources[block.resource[row] ?? 0]?.service === service
      const towards = block.strings[block.peer[row] ?? 0] === service
      if (!own && !towards) continue
      const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
      if (startMs < window.fromMs || startMs >= window.toMs) continue
      const into = block.status[row] === 2 ? failed : others
      into.add(hexAt(block.traceId, row, 16))
    }
    read += block.count
    if (read >= maxSpansRead) break
  }
  const traces: TraceRows[] = []
  for (const id of [...new Set([...failed.list(), ...others.list()])].sort()) {
    deadline.check()
    const trace = await reader.trace(id)
    if (trace !== null) traces.push(trace)
  }
  return traces
}

/** How failures of a service were seen to spread, and how many traces that rests on. */
export async function spreadThrough(
  service: string,
  context: ToolContext,
): Promise<{ readonly spread: readonly Spread[]; readonly traces: number }> {
  const names = new Names()
  const traces = await tracesThrough(service, context)
  const parts = traces.flatMap(trace => trace.parts)
  const scanned = parts.map(({ block, records }) => ({ block, receivedMs: 0, records: async () => records }))
  const weights = await sourceWeights(scanned, parts)
  const set = buildTraceSet(parts, names, weights.of, context.deadline)
  return { spread: measureSpread(set, names), traces: traces.length }
}
