/** Traces in which a service failed, and others that pass through it: where failures can be seen to spread. */
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
export async function tracesThrough(
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
