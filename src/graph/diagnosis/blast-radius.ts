/** Who suffers: the callers of a cause, direct and indirect, and how often its failures become theirs. */
import { reachable } from './call-paths.ts'
import type { Candidate } from './candidates.ts'
import type { AffectedService, BlastRadius, Propagation } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'
import type { Impact } from './impact.ts'
import { pairOf } from './names.ts'
import { roundTo } from './score.ts'
import { forEachServiceTrace } from './service-traces.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

/** Services and edges listed at most, the most affected first. */
const maxServices = 12
const maxEdges = 12

export function blastRadius(evidence: Evidence, cause: Candidate, impact: Impact): BlastRadius {
  const { service } = cause.cause.location
  if (evidence.window.set.spans === 0) return fromEdges(evidence, service)
  const id = evidence.names.id(service)
  const walk = walkUp(evidence, id, impact)
  return {
    services: affectedServices(evidence, walk.exposed, impact).slice(0, maxServices),
    propagation: propagations(evidence, walk.edges).slice(0, maxEdges),
  }
}

interface EdgeCounts {
  readonly caller: number
  readonly callee: number
  calleeFailed: number
  callerFailed: number
}

interface Walk {
  /** Traces per service in which it called the cause, directly or not. */
  readonly exposed: ReadonlyMap<number, ReadonlySet<number>>
  readonly edges: ReadonlyMap<number, EdgeCounts>
}

/** Follows every entry of the cause, or call to it, up to the entry points. */
function walkUp(evidence: Evidence, cause: number, impact: Impact): Walk {
  const { set } = evidence.window
  const exposed = new Map<number, Set<number>>()
  const edges = new Map<number, EdgeCounts>()
  const seen = new Set<number>()
  const child = remoteChildren(set)
  for (let row = 0; row < set.spans; row++) {
    const entered = set.entry[row] === row && set.service[row] === cause
    // A call that was answered is seen from the answer.
    const called = set.kind[row] === spanKinds.client && set.peer[row] === cause && child[row] === -1
    if (!entered && !called) continue
    let below = row
    let belowBad = entered ? impact.hit[row] === 1 : set.failed[row] === 1
    let belowService = cause
    mark(exposed, cause, set.trace[row] ?? 0)
    let above = entered ? (set.parent[row] ?? -1) : row
    while (above >= 0) {
      const entry = set.entry[above] ?? above
      const service = set.service[entry] ?? 0
      mark(exposed, service, set.trace[entry] ?? 0)
      if (service !== belowService && !seen.has(pairOf(below, entry))) {
        seen.add(pairOf(below, entry))
        countEdge(edges, { caller: service, callee: belowService }, belowBad, impact.hit[entry] === 1)
      }
      below = entry
      belowBad = impact.hit[entry] === 1
      belowService = service
      above = set.parent[entry] ?? -1
    }
  }
  return { exposed, edges }
}

function mark(exposed: Map<number, Set<number>>, service: number, trace: number): void {
  const traces = exposed.get(service)
  if (traces === undefined) exposed.set(service, new Set([trace]))
  else traces.add(trace)
}

function countEdge(
  edges: Map<number, EdgeCounts>,
  edge: { readonly caller: number; readonly callee: number },
  calleeBad: boolean,
  callerBad: boolean,
): void {
  const key = pairOf(edge.caller, edge.callee)
  const counts = edges.get(key) ?? { ...edge, calleeFailed: 0, callerFailed: 0 }
  if (calleeBad) {
    counts.calleeFailed++
    if (callerBad) counts.callerFailed++
  }
  edges.set(key, counts)
}

function affectedServices(
  evidence: Evidence,
  exposed: ReadonlyMap<number, ReadonlySet<number>>,
  impact: Impact,
): AffectedService[] {
  const { set } = evidence.window
  const traces = requestsPerService(set)
  const entryPoints = new Set<number>()
  for (let row = 0; row < set.spans; row++) {
    if (set.entry[row] === row && (set.parent[row] ?? -1) < 0) entryPoints.add(set.service[row] ?? 0)
  }
  const requests = requestCounts(evidence)
  return [...exposed]
    .map(([id, through]) => {
      const service = evidence.names.text(id)
      const all = traces.get(id) ?? requestsOf(set, through)
      return {
        service,
        entryPoint: entryPoints.has(id),
        requests: requests.get(service) ?? 0,
        exposedShare: roundTo(all === 0 ? 0 : requestsOf(set, through) / all, 3),
        affectedShare: roundTo(impact.services.get(id)?.share ?? 0, 3),
      }
    })
    .sort((a, b) => b.affectedShare - a.affectedShare || (a.service < b.service ? -1 : 1))
}

/** Requests that the traces with an entry of each service stand for. */
function requestsPerService(set: TraceSet): ReadonlyMap<number, number> {
  const requests = new Map<number, number>()
  forEachServiceTrace(set, (service, trace) =>
    requests.set(service, (requests.get(service) ?? 0) + (set.weight[trace] ?? 1)),
  )
  return requests
}

/** Requests that these traces stand for: a sampler may have kept some kinds more often than others. */
function requestsOf({ weight }: TraceSet, traces: ReadonlySet<number>): number {
  let sum = 0
  for (const trace of traces) sum += weight[trace] ?? 1
  return sum
}

/** Full counts of the window, not those of the sample. */
function requestCounts(evidence: Evidence): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const series of evidence.windowView.series('service')) {
    counts.set(
      series.key[0] ?? '',
      series.count.reduce((sum, count) => sum + count, 0),
    )
  }
  return counts
}

function propagations(evidence: Evidence, edges: ReadonlyMap<number, EdgeCounts>): Propagation[] {
  return [...edges.values()]
    .map(({ caller, callee, calleeFailed, callerFailed }) => ({
      caller: evidence.names.text(caller),
      callee: evidence.names.text(callee),
      calleeFailed,
      callerFailed,
      probability: calleeFailed === 0 ? null : roundTo(callerFailed / calleeFailed, 3),
    }))
    .sort(
      (a, b) =>
        b.callerFailed - a.callerFailed || (`${a.caller}\n${a.callee}` < `${b.caller}\n${b.callee}` ? -1 : 1),
    )
}

/** Without spans only the direction of calls is known: all that can reach the cause. */
function fromEdges(evidence: Evidence, service: string): BlastRadius {
  const { edges } = evidence
  const callees = new Set(edges.map(edge => edge.callee))
  const reached = reachable(edges, service, 'callers')
  const services = [...reached].sort().map(name => ({
    service: name,
    entryPoint: !callees.has(name),
    requests: 0,
    exposedShare: 0,
    affectedShare: 0,
  }))
  return { services: services.slice(0, maxServices), propagation: [] }
}
