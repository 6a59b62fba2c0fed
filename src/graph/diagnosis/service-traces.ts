/** Which services a trace passes through, each counted once however often it is entered. */
import type { TraceSet } from './trace-set.ts'

/** Calls `visit` once for each service and each trace with an entry of it; traces in the order of the set. */
export function forEachServiceTrace(set: TraceSet, visit: (service: number, trace: number) => void): void {
  const last = new Map<number, number>()
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] !== row) continue
    const service = set.service[row] ?? 0
    const trace = set.trace[row] ?? 0
    if (last.get(service) === trace) continue
    last.set(service, trace)
    visit(service, trace)
  }
}
