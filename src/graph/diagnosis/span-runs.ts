/** Runs of child spans: what each span of a service did in order, calls to others included. */
import { type Callees, silentCallees } from './charge-samples.ts'
import { type Names, pairOf } from './names.ts'
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
  const tokens = tokensOf(set, names, callees)
  const runs: Run[] = []
  const contexts = new Map<number, string>()
  for (let row = 0; row < set.spans; row++) {
    const kind = set.kind[row]
    if (kind === spanKinds.client || kind === spanKinds.producer) continue
    const service = set.service[row] as number
    const name = set.name[row] as number
    const pair = pairOf(service, name)
    let context = contexts.get(pair)
    if (context === undefined) {
      context = `${names.text(service)}\n${names.text(name)}`
      contexts.set(pair, context)
    }
    const entry = set.entry[row] as number
    const own = children.of(row)
    runs.push({
      service,
      context,
      trace: set.trace[row] as number,
      entry,
      pattern: pool.of(own.map(child => tokens(child))),
      times: own.map(child => set.startMs[child] as number),
      startMs: set.startMs[row] as number,
      endMs: set.endMs[row] as number,
      unhealthy: unhealthy.has(entry),
    })
  }
  return runs
}

/** Tokens by row: the span's name, and for a call whom it is for. */
function tokensOf(set: TraceSet, names: Names, callees: Callees): (row: number) => number {
  const known = new Map<number, number>()
  const answering = remoteChildren(set)
  const silent = silentCallees(set, callees)
  return row => {
    const callee = answering[row] as number
    const called = callee >= 0 ? (set.service[callee] as number) : Math.max(0, silent[row] as number)
    const pair = pairOf(set.name[row] as number, called)
    let token = known.get(pair)
    if (token === undefined) {
      const to = names.text(called).replace(/:\d+$/, '')
      token = names.id(`span:${names.text(set.name[row] ?? 0)}${to === '' ? '' : `${arrowTo}${to}`}`)
      known.set(pair, token)
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

interface Children {
  /** Children of the same service by start time. */
  of(row: number): readonly number[]
}

const none: readonly number[] = []

function childrenOf(set: TraceSet): Children {
  const { parent, entry, startMs, spans } = set
  const isChild = (row: number) => (parent[row] as number) >= 0 && entry[row] !== row
  const first = new Uint32Array(spans + 1)
  for (let row = 0; row < spans; row++) {
    const above = parent[row] as number
    if (isChild(row)) first[above + 1] = (first[above + 1] as number) + 1
  }
  for (let row = 0; row < spans; row++) first[row + 1] = (first[row] as number) + (first[row + 1] as number)
  const next = first.slice()
  const rows = new Uint32Array(first[spans] as number)
  for (let row = 0; row < spans; row++) {
    if (!isChild(row)) continue
    const above = parent[row] as number
    let at = next[above] as number
    next[above] = at + 1
    // Rows are by start already, but for those whose clocks were moved.
    for (; at > (first[above] as number) && isLater(startMs, rows[at - 1] as number, row); at--)
      rows[at] = rows[at - 1] as number
    rows[at] = row
  }
  return {
    of: row => {
      const from = first[row] as number
      const to = first[row + 1] as number
      return from === to ? none : Array.from(rows.subarray(from, to))
    },
  }
}

function isLater(startMs: Float64Array, one: number, other: number): boolean {
  return (startMs[one] as number) > (startMs[other] as number)
}
