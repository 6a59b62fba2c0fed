/** The graphs of all tenants, made when their first entry comes and let go when nothing has come for long. */

import { CardinalityBudget, type CardinalityLimits } from '../../graph/cardinality-budget.ts'
import type { GraphLimits } from '../../graph/graph-limits.ts'
import { TenantGraph } from '../../graph/tenant-graph.ts'
import type { Overflow } from '../../model/overflow.ts'
import type { RollupRecord, StoreWriter, TemplateRecord } from '../../model/store.ts'

/** A tenant silent for so long has no trace still in progress. */
const idleMs = 30 * 60_000

interface Live {
  readonly graph: TenantGraph
  /** When its last entry came. */
  usedMs: number
  /** Position of its last entry. */
  lastPosition: number
}

export class TenantGraphs {
  readonly #store: StoreWriter
  readonly #limits: Partial<GraphLimits>
  readonly #budget: CardinalityBudget
  readonly #live = new Map<string, Live>()
  /** Of tenants whose graph was let go: counts go on from there. */
  readonly #past = new Map<string, readonly Overflow[]>()
  /** Tenants whose graph has counted something since the last `soFar`. */
  readonly #touched = new Set<string>()
  /** What was told since the last `forget`. */
  readonly #told = new Map<string, readonly RollupRecord[]>()

  constructor(store: StoreWriter, limits: Partial<GraphLimits>, inAll: Partial<CardinalityLimits>) {
    this.#store = store
    this.#limits = limits
    this.#budget = new CardinalityBudget(inAll)
  }

  get size(): number {
    return this.#live.size
  }

  /** The graph of a tenant that is live already. */
  known(tenant: string, position: number, nowMs: number): TenantGraph | null {
    const live = this.#live.get(tenant)
    if (live === undefined) return null
    live.usedMs = nowMs
    live.lastPosition = position
    this.#touched.add(tenant)
    return live.graph
  }

  /** Makes the graph of a tenant with the templates that are stored for it. */
  async open(tenant: string): Promise<void> {
    const templates = (await this.#store.allTemplates()).filter(template => template.tenant === tenant)
    const graph = new TenantGraph({ tenant, templates, limits: this.#limits, budget: this.#budget })
    this.#live.set(tenant, { graph, usedMs: 0, lastPosition: 0 })
  }

  /**
   * What was counted since the last `forget`, of all tenants; `source` names the positions it was counted from.
   * Templates are those that changed since the last call.
   */
  soFar(source: string): {
    readonly rollups: readonly RollupRecord[]
    readonly templates: readonly TemplateRecord[]
  } {
    const templates: TemplateRecord[] = []
    for (const tenant of [...this.#touched].sort()) {
      const told = this.#live.get(tenant)?.graph.soFar(source)
      if (told === undefined) continue
      this.#told.set(tenant, told.rollups)
      templates.push(...told.templates)
    }
    this.#touched.clear()
    const rollups = [...this.#told.keys()].sort().flatMap(tenant => this.#told.get(tenant) ?? [])
    return { rollups, templates }
  }

  /** Begins anew. Only right after `soFar`: what was counted in between would be lost. */
  forget(): void {
    for (const tenant of this.#told.keys()) this.#live.get(tenant)?.graph.forget()
    this.#told.clear()
  }

  /** Lets idle graphs go whose every entry is sealed: their templates are in the store then. */
  release(sealedPosition: number, nowMs: number): void {
    for (const [tenant, live] of this.#live) {
      if (nowMs - live.usedMs < idleMs || live.lastPosition > sealedPosition) continue
      const overflows = this.#overflowsOf(tenant, live.graph)
      if (overflows.length > 0) this.#past.set(tenant, overflows)
      live.graph.leave()
      this.#live.delete(tenant)
    }
  }

  /** Bounds that were reached since the start, by tenant; the inbox bounds how many tenants there are. */
  overflows(): readonly Overflow[] {
    const gone = [...this.#past].filter(([tenant]) => !this.#live.has(tenant)).flatMap(([, past]) => past)
    return [...gone, ...[...this.#live].flatMap(([tenant, { graph }]) => this.#overflowsOf(tenant, graph))]
  }

  #overflowsOf(tenant: string, graph: TenantGraph): readonly Overflow[] {
    const past = new Map(this.#past.get(tenant)?.map(overflow => [overflow.limit, overflow]))
    const now = graph.overflows().map(overflow => {
      const before = past.get(overflow.limit)?.count ?? 0
      past.delete(overflow.limit)
      return { ...overflow, count: overflow.count + before }
    })
    return [...now, ...past.values()]
  }
}
