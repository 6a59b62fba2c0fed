/**
 * What services say of themselves in their resources and scopes, counted by span: container image, SDK,
 * instrumentation libraries. A value that was not there before, or is there no more, is a change.
 */
import type { ResourceEntry, ScopeEntry, SpanBlock } from '../model/telemetry.ts'
import { toMs } from '../model/time.ts'
import { valueText } from '../otlp/any-value.ts'
import { attributesOfResource } from '../otlp/attributes.ts'
import { type ChangeEvent, minChangeCount } from './changes.ts'

interface Sighting {
  readonly service: string
  readonly of: 'image' | 'instrumentation'
  readonly name: string
  count: number
  firstMs: number
  lastMs: number
}

/** Spans of one resource and scope of a block, of which `row` is one. */
interface Seen {
  readonly row: number
  count: number
  firstMs: number
  lastMs: number
}

/** Different values kept of one window; services have a few each. */
const maxSightings = 10_000

export class SelfDescriptions {
  readonly #sightings = new Map<string, Sighting>()

  /** Adds rows of a block. */
  add(block: SpanBlock, rows: readonly number[]): void {
    const seen = new Map<number, Seen>()
    for (const row of rows) {
      const pair = (block.resource[row] ?? 0) * block.scopes.length + (block.scope[row] ?? 0)
      const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
      const known = seen.get(pair)
      if (known === undefined) seen.set(pair, { row, count: 1, firstMs: startMs, lastMs: startMs })
      else {
        known.count++
        if (startMs < known.firstMs) known.firstMs = startMs
        if (startMs > known.lastMs) known.lastMs = startMs
      }
    }
    for (const one of seen.values()) this.#addSeen(block, one)
  }

  #addSeen(block: SpanBlock, { row, count, firstMs, lastMs }: Seen): void {
    const resource = block.resources[block.resource[row] ?? 0]
    const scope = block.scopes[block.scope[row] ?? 0]
    for (const one of sayingsOf(resource, scope).flatMap(said => this.#sightingOf(said))) {
      one.count += count
      one.firstMs = Math.min(one.firstMs, firstMs)
      one.lastMs = Math.max(one.lastMs, lastMs)
    }
  }

  get sightings(): readonly Readonly<Sighting>[] {
    return [...this.#sightings.values()]
  }

  find({ service, of, name }: Saying): Readonly<Sighting> | undefined {
    return this.#sightings.get(keyOf(service, of, name))
  }

  /** Nothing where it is new and there are too many. */
  #sightingOf({ service, of, name }: Saying): readonly Sighting[] {
    const key = keyOf(service, of, name)
    const known = this.#sightings.get(key)
    if (known !== undefined) return [known]
    if (this.#sightings.size >= maxSightings) return []
    const limits = { firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY }
    const fresh: Sighting = { service, of, name, count: 0, ...limits }
    this.#sightings.set(key, fresh)
    return [fresh]
  }
}

const keyOf = (service: string, of: string, name: string): string => `${service}\u0000${of}\u0000${name}`

type Saying = Pick<Sighting, 'service' | 'of' | 'name'>

/** What a resource and a scope say, for as long as whoever reads keeps them: blocks share them, and questions. */
const sayings = new WeakMap<ResourceEntry, Map<ScopeEntry | undefined, readonly Saying[]>>()

function sayingsOf(resource: ResourceEntry | undefined, scope: ScopeEntry | undefined): readonly Saying[] {
  if (resource === undefined) return []
  const ofResource = sayings.get(resource) ?? new Map<ScopeEntry | undefined, readonly Saying[]>()
  sayings.set(resource, ofResource)
  const said = ofResource.get(scope) ?? readSayings(resource, scope)
  ofResource.set(scope, said)
  return said
}

function readSayings(resource: ResourceEntry, scope: ScopeEntry | undefined): readonly Saying[] {
  const said = new Map(attributesOfResource(resource.bytes).map(({ key, value }) => [key, valueText(value)]))
  const joined = (keys: readonly string[]) =>
    keys
      .map(key => said.get(key) ?? '')
      .filter(text => text !== '')
      .join(' ')
  const tags = said.get('container.image.tags') ?? said.get('container.image.tag') ?? ''
  const image = [said.get('container.image.name') ?? '', tags].filter(text => text !== '').join(':')
  const sdk = joined(['telemetry.sdk.name', 'telemetry.sdk.language', 'telemetry.sdk.version'])
  const distribution = joined(['telemetry.distro.name', 'telemetry.distro.version'])
  const library = scope === undefined || scope.version === '' ? '' : `${scope.name} ${scope.version}`
  const { service } = resource
  return [
    { service, of: 'image' as const, name: image },
    ...[sdk, distribution, library].map(name => ({ service, of: 'instrumentation' as const, name })),
  ].filter(one => one.name !== '')
}

/** Of services that both sides saw say something of the kind; unordered. */
export function describedChanges(now: SelfDescriptions, before: SelfDescriptions): readonly ChangeEvent[] {
  const spoke = (side: SelfDescriptions) =>
    new Set(side.sightings.map(one => `${one.service}\u0000${one.of}`))
  const then = spoke(before)
  const still = spoke(now)
  const event = (one: Readonly<Sighting>, fresh: boolean): ChangeEvent => ({
    kind: `${fresh ? 'new_' : ''}${one.of}${fresh ? '' : '_gone'}` as ChangeEvent['kind'], // both kinds of both
    service: one.service,
    name: one.name,
    text: '',
    atMs: Math.round(fresh ? one.firstMs : one.lastMs),
    count: one.count,
  })
  return [
    ...now.sightings
      .filter(one => then.has(`${one.service}\u0000${one.of}`) && before.find(one) === undefined)
      .map(one => event(one, true)),
    ...before.sightings
      .filter(one => still.has(`${one.service}\u0000${one.of}`) && now.find(one) === undefined)
      .map(one => event(one, false)),
  ].filter(change => change.count >= minChangeCount)
}
