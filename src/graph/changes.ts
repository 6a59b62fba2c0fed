/**
 * What is there in the window that the baseline did not have, and the other way round: releases, instances,
 * restarts, dependencies, operations, log templates. From rollups alone.
 */
import type { RollupKind, RollupView } from '../model/rollup.ts'
import type { TemplateRecord } from '../model/store.ts'
import type { ComparedViews } from './compared-views.ts'

export type ChangeKind =
  | 'new_service'
  | 'service_gone'
  | 'new_version'
  | 'version_gone'
  | 'new_instance'
  | 'instance_gone'
  | 'new_image'
  | 'image_gone'
  | 'new_instrumentation'
  | 'instrumentation_gone'
  | 'restart'
  | 'new_edge'
  | 'edge_gone'
  | 'new_operation'
  | 'operation_gone'
  | 'new_template'
  | 'template_gone'

export interface ChangeEvent {
  readonly kind: ChangeKind
  readonly service: string
  /** Version, instance, image, SDK or library, callee, operation or template id; else the service itself. */
  readonly name: string
  /** Pattern of a template, metric that told of a restart; else empty. */
  readonly text: string
  /** Start of the window it was first seen in; for what is gone the end of the last one. Milliseconds. */
  readonly atMs: number
  /** Requests, calls, spans or records of it, on the side that has it. */
  readonly count: number
}

export interface ChangeOptions {
  readonly service?: string
  readonly templates?: readonly TemplateRecord[]
}

/** What was seen fewer times than this on one side may be missing on the other by chance. */
export const minChangeCount = 5

/** A thing seen in fewer windows than this may still turn out to be something else: calls join late. */
const minWindows = 2

const order: readonly ChangeKind[] = [
  'new_version',
  'version_gone',
  'new_image',
  'image_gone',
  'restart',
  'new_service',
  'service_gone',
  'new_instance',
  'instance_gone',
  'new_edge',
  'edge_gone',
  'new_operation',
  'operation_gone',
  'new_instrumentation',
  'instrumentation_gone',
  'new_template',
  'template_gone',
]

/** Rank of a change's kind: what explains most comes first. */
export function changeOrder({ kind }: ChangeEvent): number {
  return order.indexOf(kind)
}

/** All changes by time, then importance and name; nothing without a baseline that holds requests or records. */
export function listChanges(views: ComparedViews, options: ChangeOptions = {}): ChangeEvent[] {
  const { window, baseline } = views
  if (baseline === null) return []
  const compare = new ViewComparison(window, baseline, options.service)
  const patterns = new Map(options.templates?.map(one => [one.id, one.pattern]))
  const changes = [
    ...compare.services(),
    ...compare.part('instance', key => key[2] ?? '', 'new_version', 'version_gone'),
    ...compare.part('instance', key => key[1] ?? '', 'new_instance', 'instance_gone'),
    ...compare.restarts(),
    ...compare.part('edge', calleeOf, 'new_edge', 'edge_gone'),
    ...compare.part('operation', key => key[1] ?? '', 'new_operation', 'operation_gone'),
    ...compare
      .part('template', key => key[1] ?? '', 'new_template', 'template_gone')
      .map(change => ({ ...change, text: patterns.get(change.name) ?? '' })),
  ]
  return changes.sort(
    (a, b) =>
      a.atMs - b.atMs ||
      changeOrder(a) - changeOrder(b) ||
      (`${a.service}\u0000${a.name}` < `${b.service}\u0000${b.name}` ? -1 : 1),
  )
}

/** The callee; empty for an address with a port, which changes with every instance and says nothing. */
function calleeOf(key: readonly string[]): string {
  const callee = key[1] ?? ''
  return key[3] === 'peer' && /:\d+$/.test(callee) ? '' : callee
}

interface Presence {
  readonly service: string
  readonly name: string
  count: number
  windows: number
  firstMs: number
  lastMs: number
}

class ViewComparison {
  readonly #window: RollupView
  readonly #baseline: RollupView
  readonly #service: string | undefined
  readonly #inWindow: ReadonlySet<string>
  readonly #inBaseline: ReadonlySet<string>

  constructor(window: RollupView, baseline: RollupView, service: string | undefined) {
    this.#window = window
    this.#baseline = baseline
    this.#service = service
    this.#inWindow = activeServices(window, service)
    this.#inBaseline = activeServices(baseline, service)
  }

  services(): ChangeEvent[] {
    return this.#changed(
      'service',
      key => key[0] ?? '',
      'new_service',
      'service_gone',
      () => true,
    )
  }

  /** Changes of a part of the key, for services that both sides know. */
  part(
    kind: RollupKind,
    nameOf: (key: readonly string[]) => string,
    fresh: ChangeKind,
    gone: ChangeKind,
  ): ChangeEvent[] {
    const known = (service: string) => this.#inWindow.has(service) && this.#inBaseline.has(service)
    return this.#changed(kind, nameOf, fresh, gone, known)
  }

  /** An instance that goes on under the same name as another process, or whose counters began anew. */
  restarts(): ChangeEvent[] {
    const processes = this.#changed(
      'instance',
      key => ((key[3] ?? '') === '' ? '' : `${key[1]}\u0000${key[3]}`),
      'restart',
      'restart',
      () => true,
    )
    const before = this.#presences(this.#baseline, 'instance', key => key[1] ?? '')
    const now = this.#presences(this.#window, 'instance', key => `${key[1]}\u0000${key[3]}`)
    const restarts = processes.flatMap(change => {
      const instance = change.name.split('\u0000')[0] ?? ''
      const began = now.has(`${change.service}\u0000${change.name}`)
      return began && before.has(`${change.service}\u0000${instance}`) ? [{ ...change, name: instance }] : []
    })
    const told = new Set(restarts.map(change => `${change.service}\u0000${change.name}`))
    return [...restarts, ...this.#resets().filter(one => !told.has(`${one.service}\u0000${one.name}`))]
  }

  /** One event per service and instance: the first window in which a counter began anew. */
  #resets(): ChangeEvent[] {
    const first = new Map<string, ChangeEvent>()
    for (const series of this.#window.series('metric', this.#service)) {
      const [service = '', metric = '', instance = ''] = series.key
      const at = series.errors.findIndex(resets => resets > 0)
      if (at < 0) continue
      const atMs = this.#window.fromMs + at * this.#window.stepSeconds * 1000
      const known = first.get(`${service}\u0000${instance}`)
      if (known !== undefined && known.atMs <= atMs) continue
      const event = { kind: 'restart', service, name: instance, text: metric, atMs, count: 1 } as const
      first.set(`${service}\u0000${instance}`, event)
    }
    return [...first.values()]
  }

  #changed(
    kind: RollupKind,
    nameOf: (key: readonly string[]) => string,
    fresh: ChangeKind,
    gone: ChangeKind,
    wanted: (service: string) => boolean,
  ): ChangeEvent[] {
    const now = this.#presences(this.#window, kind, nameOf)
    const before = this.#presences(this.#baseline, kind, nameOf)
    const event = (one: Presence, change: ChangeKind, atMs: number): ChangeEvent => ({
      kind: change,
      service: one.service,
      name: one.name,
      text: '',
      atMs,
      count: one.count,
    })
    const convincing = (one: Presence) =>
      one.name !== '' && one.count >= minChangeCount && one.windows >= minWindows && wanted(one.service)
    const changes: ChangeEvent[] = []
    for (const [key, one] of now) {
      if (!before.has(key) && convincing(one)) changes.push(event(one, fresh, one.firstMs))
    }
    for (const [key, one] of before) {
      if (!now.has(key) && convincing(one)) changes.push(event(one, gone, one.lastMs))
    }
    return changes
  }

  #presences(
    view: RollupView,
    kind: RollupKind,
    nameOf: (key: readonly string[]) => string,
  ): Map<string, Presence> {
    const found = new Map<string, Presence>()
    const widthMs = view.stepSeconds * 1000
    for (const series of view.series(kind, this.#service)) {
      const service = series.key[0] ?? ''
      if (this.#service !== undefined && service !== this.#service) continue
      const name = nameOf(series.key)
      const key = `${service}\u0000${name}`
      const { count: counts } = series
      let one = found.get(key)
      for (let i = 0; i < view.length; i++) {
        const count = counts[i] ?? 0
        if (count <= 0) continue
        const fromMs = view.fromMs + i * widthMs
        if (one === undefined) {
          one = { service, name, count, windows: 1, firstMs: fromMs, lastMs: fromMs + widthMs }
          found.set(key, one)
        } else {
          one.count += count
          one.windows++
          one.firstMs = Math.min(one.firstMs, fromMs)
          one.lastMs = Math.max(one.lastMs, fromMs + widthMs)
        }
      }
    }
    return found
  }
}

/** Services with spans or log records; of all or of one. */
function activeServices(view: RollupView, only: string | undefined): Set<string> {
  const kinds: readonly RollupKind[] = ['operation', 'severity']
  return new Set(kinds.flatMap(kind => view.series(kind, only).map(series => series.key[0] ?? '')))
}
