/** Runs of child spans: what each span of a service did in order, calls to others included. */
import { type Callees, silentCallees } from './charge-samples.ts'
import { type Names, pairOf } from './names.ts'
import type { Pattern, PatternPool, Run } from './sequences.ts'
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
  const spans = { set, children }
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
    let at = pool.start
    for (let i = children.first[row] as number; i < (children.first[row + 1] as number); i++)
      at = pool.after(at, tokens(children.rows[i] as number))
    const isUnhealthy = unhealthy.has(set.entry[row] as number)
    runs.push(new SpanRun(spans, row, context, pool.patternOf(at), isUnhealthy))
  }
  return runs
}

interface Spans {
  readonly set: TraceSet
  readonly children: Children
}

/** Most of it stands in the set already, and of most runs nobody asks for it. */
class SpanRun implements Run {
  readonly context: string
  readonly pattern: Pattern
  readonly unhealthy: boolean
  private readonly spans: Spans
  private readonly row: number

  constructor(spans: Spans, row: number, context: string, pattern: Pattern, unhealthy: boolean) {
    this.spans = spans
    this.row = row
    this.context = context
    this.pattern = pattern
    this.unhealthy = unhealthy
  }

  get service(): number {
    return this.spans.set.service[this.row] as number
  }

  get trace(): number {
    return this.spans.set.trace[this.row] as number
  }

  get entry(): number {
    return this.spans.set.entry[this.row] as number
  }

  get times(): readonly number[] {
    const { set, children } = this.spans
    const rows = children.rows.subarray(children.first[this.row], children.first[this.row + 1])
    return Array.from(rows, child => set.startMs[child] as number)
  }

  get startMs(): number {
    return this.spans.set.startMs[this.row] as number
  }

  get endMs(): number {
    return this.spans.set.endMs[this.row] as number
  }
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

/** Children of the same service by start time: those of a row are `rows[first[row]]` to `rows[first[row + 1] - 1]`. */
interface Children {
  readonly first: Uint32Array
  readonly rows: Uint32Array
}

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
  return { first, rows }
}

function isLater(startMs: Float64Array, one: number, other: number): boolean {
  return (startMs[one] as number) > (startMs[other] as number)
}
