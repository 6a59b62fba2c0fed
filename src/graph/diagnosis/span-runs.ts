/** Runs of child spans: what each span of a service did in order, calls to others included. */
import { type Callees, silentCallee } from './charge-samples.ts'
import type { Names } from './names.ts'
import type { PatternPool, Run } from './sequences.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

/** Between a call's name and whom it is for. */
const arrowTo = ' -> '

/**
 * One run per span that is not itself a call; its tokens are its children of the same service. A token is
 * the child's name together with the service it calls, never an address: those change with every release. `unhealthy` holds rows of entries that failed.
 */
export function spanRuns(
  set: TraceSet,
  names: Names,
  callees: Callees,
  unhealthy: ReadonlySet<number>,
  pool: PatternPool,
): readonly Run[] {
  const children = childrenOf(set)
  const runs: Run[] = []
  const contexts = new Map<number, string>()
  const tokenOf = tokensOf(set, names, callees)
  for (let row = 0; row < set.spans; row++) {
    const kind = set.kind[row]
    if (kind === spanKinds.client || kind === spanKinds.producer) continue
    const own = children(row)
    const service = set.service[row] ?? 0
    const name = set.name[row] ?? 0
    const contextKey = service * 2097152 + name
    let context = contexts.get(contextKey)
    if (context === undefined) {
      context = `${names.text(service)}\n${names.text(name)}`
      contexts.set(contextKey, context)
    }
    const entry = set.entry[row] ?? row
    runs.push({
      service,
      context,
      trace: set.trace[row] ?? 0,
      entry,
      pattern: pool.of(own.map(tokenOf)),
      times: own.map(child => set.startMs[child] ?? 0),
      startMs: set.startMs[row] ?? 0,
      endMs: set.endMs[row] ?? 0,
      unhealthy: unhealthy.has(entry),
    })
  }
  return runs
}

/** Tokens by row: the span's name, and for a call whom it is for. */
function tokensOf(set: TraceSet, names: Names, callees: Callees): (row: number) => number {
  const cache = new Map<number, number>()
  const answering = remoteChildren(set)
  return row => {
    const callee = answering[row] ?? -1
    const called = callee >= 0 ? (set.service[callee] ?? 0) : Math.max(0, silentCallee(set, row, callees))
    const key = (set.name[row] ?? 0) * 2097152 + called
    let token = cache.get(key)
    if (token === undefined) {
      const to = names.text(called).replace(/:\d+$/, '')
      token = names.id(`span:${names.text(set.name[row] ?? 0)}${to === '' ? '' : `${arrowTo}${to}`}`)
      cache.set(key, token)
    }
    return token
  }
}

/** Whom a token stands for a call to, as an index into `names`; 0 for none. */
export function calleeOfToken(names: Names, token: number): number {
  const text = token < 0 ? '' : names.text(token)
  const arrow = text.startsWith('span:') ? text.lastIndexOf(arrowTo) : -1
  return arrow < 0 ? 0 : names.id(text.slice(arrow + arrowTo.length))
}

/** Children of the same service by start time, as a lookup. */
function childrenOf(set: TraceSet): (row: number) => readonly number[] {
  const lists = new Map<number, number[]>()
  for (let row = 0; row < set.spans; row++) {
    const above = set.parent[row] ?? -1
    if (above < 0 || set.entry[row] === row) continue
    const list = lists.get(above)
    if (list === undefined) lists.set(above, [row])
    else list.push(row)
  }
  const none: readonly number[] = []
  for (const list of lists.values())
    list.sort((a, b) => (set.startMs[a] ?? 0) - (set.startMs[b] ?? 0) || a - b)
  return row => lists.get(row) ?? none
}
