/** What the model of the store holds at one moment. A change works on a copy. */
import type {
  RollupRecord,
  SegmentHeader,
  SegmentRecord,
  StoredCount,
  TemplateRecord,
} from '../../src/model/store.ts'
import type { Signal } from '../../src/model/telemetry.ts'

export interface ModelState {
  readonly positions: Map<string, number>
  readonly segments: Map<string, SegmentRecord & { readonly sequence: number }>
  readonly rollups: Map<string, RollupRecord>
  /** In the order in which they came. */
  readonly rollupNumbers: Map<string, number>
  readonly templates: Map<string, TemplateRecord>
  readonly totals: Map<string, StoredCount>
  readonly removals: { readonly sequence: number; readonly id: string }[]
  readonly retirements: {
    readonly generation: number
    readonly tenant: string
    readonly fromMs: number
    readonly toMs: number
  }[]
  sequence: number
}

export function stateOf(copied?: ModelState): ModelState {
  return {
    positions: new Map(copied?.positions),
    segments: new Map(copied?.segments),
    rollups: new Map(copied?.rollups),
    rollupNumbers: new Map(copied?.rollupNumbers),
    templates: new Map(copied?.templates),
    totals: new Map(copied?.totals),
    removals: [...(copied?.removals ?? [])],
    retirements: [...(copied?.retirements ?? [])],
    sequence: copied?.sequence ?? 0,
  }
}

/** False if it is stored already. */
export function putSegment(state: ModelState, segment: SegmentRecord): boolean {
  const { id, tenant, signal, count, byteLength } = segment.header
  if (state.segments.has(id)) return false
  state.segments.set(id, { ...segment, sequence: ++state.sequence })
  addTotal(state, tenant, signal, { stored: count, bytes: byteLength })
  return true
}

/** Throws when it is not stored. */
export function takeSegment(state: ModelState, id: string): SegmentHeader {
  const segment = state.segments.get(id)
  if (segment === undefined) throw new Error(`segment ${id} is not stored`)
  const { header } = segment
  state.segments.delete(id)
  state.removals.push({ sequence: ++state.sequence, id })
  addTotal(state, header.tenant, header.signal, { stored: -header.count, bytes: -header.byteLength })
  return header
}

export function addTotal(
  state: ModelState,
  tenant: string,
  signal: Signal,
  added: Partial<Omit<StoredCount, 'tenant' | 'signal'>>,
): void {
  const key = `${signal} ${tenant}`
  const none = { tenant, signal, items: 0, stored: 0, merged: 0, removed: 0, bytes: 0 }
  const known = state.totals.get(key) ?? none
  state.totals.set(key, {
    tenant,
    signal,
    items: known.items + (added.items ?? 0),
    stored: known.stored + (added.stored ?? 0),
    merged: known.merged + (added.merged ?? 0),
    removed: known.removed + (added.removed ?? 0),
    bytes: known.bytes + (added.bytes ?? 0),
  })
}

/** One range a tenant, however many records went. */
export function retire(
  state: ModelState,
  gone: readonly { readonly tenant: string; readonly fromMs: number; readonly toMs: number }[],
): void {
  for (const tenant of new Set(gone.map(one => one.tenant))) {
    const own = gone.filter(one => one.tenant === tenant)
    state.retirements.push({
      generation: ++state.sequence,
      tenant,
      fromMs: Math.min(...own.map(one => one.fromMs)),
      toMs: Math.max(...own.map(one => one.toMs)),
    })
  }
}
