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

/** Different values kept of one window; services have a few each. */
const maxSightings = 10_000

export class SelfDescriptions {
  readonly #sightings = new Map<string, Sighting>()

  /** Adds rows of a block. */
  add(block: SpanBlock, rows: readonly number[]): void {
    const known = new Map<number, readonly Sighting[]>()
    for (const row of rows) {
      const resource = block.resource[row] ?? 0
      const scope = block.scope[row] ?? 0
      const pair = resource * block.scopes.length + scope
      let said = known.get(pair)
      if (said === undefined) {
        said = sayingsOf(block.resources[resource], block.scopes[scope]).flatMap(one => this.#sightingOf(one))
        known.set(pair, said)
      }
      const startMs = toMs(block.startHi[row] ?? 0, block.startLo[row] ?? 0)
      for (const one of said) {
        one.count++
        one.firstMs = Math.min(one.firstMs, startMs)
        one.lastMs = Math.max(one.lastMs, startMs)
      }
    }
  }

  get sightings(): readonly Readonly<Sighting>[] {
    return [...this.#sightings.values()]
  }

  find({ service, of, name }: Pick<Sighting, 'service' | 'of' | 'name'>): Readonly<Sighting> | undefined {
    return this.#sightings.get(keyOf(service, of, name))
  }

  /** Nothing where it is new and there are too many. */
  #sightingOf({ service, of, name }: Pick<Sighting, 'service' | 'of' | 'name'>): readonly Sighting[] {
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

function sayingsOf(
  resource: ResourceEntry | undefined,
  scope: ScopeEntry | undefined,
): readonly Pick<Sighting, 'service' | 'of' | 'name'>[] {
  if (resource === undefined) return []
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
