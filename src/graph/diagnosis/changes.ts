/** What is there in the window that was not there before, and the other way round, from rollups alone. */
import type { RollupKind, RollupSeries, RollupView } from '../../model/rollup.ts'
import type { Change } from './diagnosis.ts'
import type { Evidence } from './evidence.ts'

/** Changes listed at most: versions, instances and restarts first, then edges, operations and templates. */
const maxChanges = 20
/** Something seen less often than this in one window may be missing from the other by chance. */
const minCount = 5

const order: readonly Change['kind'][] = [
  'new_version',
  'version_gone',
  'restart',
  'new_instance',
  'instance_gone',
  'new_edge',
  'edge_gone',
  'new_operation',
  'operation_gone',
  'new_template',
  'template_gone',
]

export function listChanges(evidence: Evidence): readonly Change[] {
  const { windowView, baselineView } = evidence
  const compare = (kind: RollupKind, parts: Parts) => compareSeries(windowView, baselineView, kind, parts)
  const named = (key: readonly string[], part: number) => key[part] ?? ''
  const patterns = new Map([...evidence.templates.values()].map(one => [one.id, one.pattern]))
  const found = [
    ...compare('instance', { fresh: 'new_version', gone: 'version_gone', name: key => named(key, 2) }),
    ...instanceChanges(windowView, baselineView),
    ...compare('edge', { fresh: 'new_edge', gone: 'edge_gone', name: edgeName }),
    ...compare('operation', { fresh: 'new_operation', gone: 'operation_gone', name: key => named(key, 1) }),
    ...compare('template', { fresh: 'new_template', gone: 'template_gone', name: key => named(key, 1) }),
  ].map(change =>
    change.kind.includes('template') ? { ...change, text: patterns.get(change.name) ?? '' } : change,
  )
  return found
    .sort(
      (a, b) =>
        order.indexOf(a.kind) - order.indexOf(b.kind) ||
        b.count - a.count ||
        (`${a.service}\n${a.name}` < `${b.service}\n${b.name}` ? -1 : 1),
    )
    .slice(0, maxChanges)
}

/** The callee; empty for an address with a port, which changes with every instance and says nothing. */
function edgeName(key: readonly string[]): string {
  const callee = key[1] ?? ''
  return key[3] === 'peer' && /:\d+$/.test(callee) ? '' : callee
}

interface Parts {
  readonly fresh: Change['kind']
  readonly gone: Change['kind']
  readonly name: (key: readonly string[]) => string
}

interface Presence {
  readonly service: string
  readonly name: string
  count: number
  firstMs: number
  lastMs: number
}

function compareSeries(
  window: RollupView,
  baseline: RollupView,
  kind: RollupKind,
  { fresh, gone, name }: Parts,
): Change[] {
  const now = presences(window, kind, name)
  const before = presences(baseline, kind, name)
  return [...onlyIn(now, before, fresh, one => one.firstMs), ...onlyIn(before, now, gone, one => one.lastMs)]
}

/** Things of services that both sides know; a whole new service has nothing to be compared with. */
function onlyIn(
  here: ReadonlyMap<string, Presence>,
  there: ReadonlyMap<string, Presence>,
  kind: Change['kind'],
  at: (one: Presence) => number,
): Change[] {
  const known = new Set([...there.values()].map(one => one.service))
  const changes: Change[] = []
  for (const [key, one] of here) {
    if (there.has(key) || one.name === '' || !known.has(one.service) || one.count < minCount) continue
    changes.push({ kind, service: one.service, name: one.name, text: '', atMs: at(one), count: one.count })
  }
  return changes
}

function presences(
  view: RollupView,
  kind: RollupKind,
  name: (key: readonly string[]) => string,
): Map<string, Presence> {
  const found = new Map<string, Presence>()
  for (const series of view.series(kind)) addPresence(found, view, series, name(series.key))
  return found
}

function addPresence(
  found: Map<string, Presence>,
  view: RollupView,
  series: RollupSeries,
  name: string,
): void {
  const service = series.key[0] ?? ''
  for (let i = 0; i < view.length; i++) {
    const count = series.count[i] ?? 0
    if (count <= 0) continue
    const fromMs = view.fromMs + i * view.stepSeconds * 1000
    const toMs = fromMs + view.stepSeconds * 1000
    const key = `${service}\n${name}`
    const known = found.get(key)
    if (known === undefined) {
      found.set(key, { service, name, count, firstMs: fromMs, lastMs: toMs })
    } else {
      known.count += count
      known.firstMs = Math.min(known.firstMs, fromMs)
      known.lastMs = Math.max(known.lastMs, toMs)
    }
  }
}

/** An instance name that goes on under another process is a restart; others are new or gone. */
function instanceChanges(window: RollupView, baseline: RollupView): Change[] {
  const instance = (key: readonly string[]) => key[1] ?? ''
  const process = (key: readonly string[]) => ((key[3] ?? '') === '' ? '' : `${key[1]}\n${key[3]}`)
  const changes = compareSeries(window, baseline, 'instance', {
    fresh: 'new_instance',
    gone: 'instance_gone',
    name: instance,
  })
  const before = presences(baseline, 'instance', instance)
  const restarted = onlyIn(
    presences(window, 'instance', process),
    presences(baseline, 'instance', process),
    'restart',
    one => one.firstMs,
  )
  for (const change of restarted) {
    const name = change.name.split('\n')[0] ?? ''
    if (before.has(`${change.service}\n${name}`)) changes.push({ ...change, name })
  }
  return changes
}
