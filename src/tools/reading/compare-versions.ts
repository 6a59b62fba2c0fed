/** Two versions of one service side by side, from the spans and logs of requests that each of them served. */
import type { Names } from '../../graph/diagnosis/names.ts'
import type { Patience } from '../../graph/diagnosis/patience.ts'
import { quantileOf } from '../../graph/diagnosis/robust.ts'
import type { Sample } from '../../graph/diagnosis/sampling.ts'
import { spanKinds, type TraceSet } from '../../graph/diagnosis/trace-set.ts'
import { answeredCalls } from '../../graph/scenario/target.ts'
import { compareCritical } from './compare-critical.ts'
import { type Comparison, sideOf } from './compare-rollups.ts'
import {
  type Difference,
  differencesOf,
  type Observed,
  type Sides,
  type Subject,
  strongest,
  templateDifference,
  unseen,
  worstFirst,
} from './differences.ts'

export interface VersionSide {
  readonly sample: Sample
  readonly version: string
}

/** What one version did, by what it is about. */
interface Work {
  readonly requests: Observed
  readonly things: ReadonlyMap<string, { readonly subject: Subject; readonly observed: Observed }>
  /** By template number. */
  readonly templates: ReadonlyMap<number, number>
  readonly traces: ReadonlySet<number>
}

/** Keys of things that are requests to the service. */
const requestKey = 'request'

class Durations {
  readonly #values: number[] = []
  #errors = 0

  add(set: TraceSet, row: number): void {
    this.#values.push((set.endMs[row] ?? 0) - (set.startMs[row] ?? 0))
    this.#errors += set.failed[row] ?? 0
  }

  observed(): Observed {
    const sorted = this.#values.toSorted((a, b) => a - b)
    return {
      count: sorted.length,
      errors: this.#errors,
      precision: 0,
      quantile: q => quantileOf(sorted, q),
      countAbove: ms => sorted.length - sorted.findLastIndex(value => value <= ms) - 1,
    }
  }
}

function workOf({ sample, version }: VersionSide, service: string, names: Names): Work {
  const { set } = sample
  const own = names.id(service)
  const wanted = names.id(version)
  const served = (row: number): boolean => {
    const entry = set.entry[row] ?? row
    return set.service[entry] === own && set.version[entry] === wanted && isRequest(set, entry)
  }
  const callees = calleesOf(set)
  const requests = new Durations()
  const things = new Map<string, { readonly subject: Subject; readonly durations: Durations }>()
  const traces = new Set<number>()
  const add = (subject: Subject, row: number): void => {
    const key = `${set.entry[row] === row ? requestKey : subject.of}\n${subject.name}`
    const thing = things.get(key) ?? { subject, durations: new Durations() }
    things.set(key, thing)
    thing.durations.add(set, row)
  }
  for (let row = 0; row < set.spans; row++) {
    if (!served(row)) continue
    if (set.entry[row] === row) {
      requests.add(set, row)
      traces.add(set.trace[row] ?? 0)
    }
    add({ of: 'operation', service, name: names.text(set.name[row] ?? 0) }, row)
    const callee = callees(row)
    if (callee > 0 && callee !== own) add({ of: 'edge', service, name: names.text(callee) }, row)
  }
  const templates = new Map<number, number>()
  for (const line of sample.lines)
    if (served(line.entry)) templates.set(line.template, (templates.get(line.template) ?? 0) + 1)
  return {
    requests: requests.observed(),
    things: new Map(
      [...things].map(([key, { subject, durations }]) => [key, { subject, observed: durations.observed() }]),
    ),
    templates,
    traces,
  }
}

/** A span of the service that is no request served by it belongs to a trace that was cut off. */
const isRequest = ({ kind, parent }: TraceSet, row: number): boolean =>
  kind[row] === spanKinds.server || kind[row] === spanKinds.consumer || (parent[row] ?? -1) < 0

/** Whom a client or producer span calls, 0 for none. */
function calleesOf(set: TraceSet): (row: number) => number {
  const answered = answeredCalls(set)
  const entered = new Map<number, number>()
  for (let row = 0; row < set.spans; row++) {
    const above = set.parent[row] ?? -1
    if (above >= 0 && set.entry[row] === row && !entered.has(above)) entered.set(above, set.service[row] ?? 0)
  }
  return row => {
    if (answered[row] === 1) return entered.get(row) ?? 0
    const calls = set.kind[row] === spanKinds.client || set.kind[row] === spanKinds.producer
    return calls ? (set.peer[row] ?? 0) : 0
  }
}

/** `templateId` names a template by its number. Both samples share `names`. */
export function compareVersions(
  service: string,
  after: VersionSide,
  before: VersionSide,
  {
    names,
    templateId,
    patience,
  }: {
    readonly names: Names
    readonly templateId: (number: number) => string
    readonly patience: Patience
  },
): Comparison {
  const now = workOf(after, service, names)
  patience.check()
  const then = workOf(before, service, names)
  patience.check()
  const requests: Sides<number> = { before: then.requests.count, after: now.requests.count }
  const differences = [...new Set([...now.things.keys(), ...then.things.keys()])].flatMap(
    (key): readonly Difference[] => {
      const subject = (now.things.get(key) ?? then.things.get(key))?.subject
      if (subject === undefined) return []
      const sides = {
        before: then.things.get(key)?.observed ?? unseen,
        after: now.things.get(key)?.observed ?? unseen,
      }
      const found = differencesOf(subject, sides, requests)
      // How often a kind of request comes in is up to who sends it.
      return key.startsWith(requestKey) ? found.filter(one => one.unit !== 'calls_per_request') : found
    },
  )
  const templates = [...new Set([...now.templates.keys(), ...then.templates.keys()])].flatMap(number => {
    const counts = { before: then.templates.get(number) ?? 0, after: now.templates.get(number) ?? 0 }
    const found = templateDifference({ service, templateId: templateId(number) }, counts, requests)
    return found === null ? [] : [found]
  })
  const critical = compareCritical(
    { set: after.sample.set, traces: now.traces },
    { set: before.sample.set, traces: then.traces },
    names,
    service,
    patience,
  )
  return {
    services: [{ service, before: sideOf(then.requests), after: sideOf(now.requests) }],
    differences: worstFirst([...differences, ...critical]),
    templates: strongest(templates, one => one.templateId),
  }
}
