/**
 * The rollup series of one tenant by small numbers, each kind behind its limit. Names are resolved once per
 * batch; per span only numbers are looked up.
 */
import { type Cardinality, CardinalityBudget, type CardinalityShare } from './cardinality-budget.ts'
import { type FoldedCounts, type GraphLimits, noFolds, overflowName } from './graph-limits.ts'
import { kindOfName, OffenderTable } from './offenders.ts'
import { PairMap } from './rollups/pair-map.ts'
import { kindNumber, SeriesKeys } from './rollups/series-keys.ts'
import { connections } from './spans/span-row.ts'

const serviceKind = kindNumber('service')
const operationKind = kindNumber('operation')
const edgeKind = kindNumber('edge')
const instanceKind = kindNumber('instance')

export class SeriesRegistry {
  readonly limits: GraphLimits
  readonly #share: CardinalityShare
  readonly #offenders: OffenderTable
  readonly keys: SeriesKeys = new SeriesKeys()
  readonly folded: FoldedCounts = noFolds()
  readonly #services = new Map<string, number>()
  readonly #serviceNames: string[] = []
  readonly #serviceSeries: number[] = []
  readonly #operationsOf: number[] = []
  readonly #names = new Map<string, number>([['', 0]])
  readonly #nameTexts: string[] = ['']
  readonly #operations = new PairMap()
  readonly #operationSeries: number[] = []
  #operationCount = 0
  readonly #edges = new PairMap()
  readonly #edgeSeries: number[] = []
  readonly #instances = new Map<string, number>()

  constructor(
    limits: GraphLimits,
    share: CardinalityShare = new CardinalityBudget().join(),
    offenders: OffenderTable = new OffenderTable(),
  ) {
    this.limits = limits
    this.#share = share
    this.#offenders = offenders
  }

  /** Whether one more fits, beside `held` of at most `limit`. */
  mayAdd(kind: Cardinality, held: number, limit: number): boolean {
    return held < limit && this.#share.fits(kind)
  }

  added(kind: Cardinality): void {
    this.#share.take(kind)
  }

  /** Counts that something went under `_overflow`, and on whose account. */
  fold(kind: Cardinality, offender: string): void {
    this.folded[kind]++
    this.#offenders.note(kind, offender)
  }

  /** Number of a service, from 0; past the limit that of `_overflow`. */
  service(name: string): number {
    const known = this.#services.get(name)
    if (known !== undefined) return known
    const fits = this.mayAdd('services', this.#serviceNames.length, this.limits.services)
    if (!fits && name !== overflowName) {
      this.fold('services', kindOfName(name))
      return this.service(overflowName)
    }
    const number = this.#serviceNames.length
    this.#services.set(name, number)
    this.#serviceNames.push(name)
    this.#serviceSeries.push(this.keys.add(serviceKind, [name]))
    this.#operationsOf.push(0)
    if (name !== overflowName) this.added('services')
    return number
  }

  serviceName(service: number): string {
    return this.#serviceNames[service] ?? ''
  }

  /** Series of the service's requests. */
  serviceSeries(service: number): number {
    return this.#serviceSeries[service] ?? 0
  }

  /** Number of a span or peer name, 0 for the empty one; past the limit that of `_overflow`. */
  name(text: string): number {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    if (!this.mayAdd('names', this.#nameTexts.length - 1, this.limits.names) && text !== overflowName) {
      this.fold('names', kindOfName(text))
      return this.name(overflowName)
    }
    const number = this.#nameTexts.length
    this.#names.set(text, number)
    this.#nameTexts.push(text)
    if (text !== overflowName) this.added('names')
    return number
  }

  /** Series of an operation. */
  operation(service: number, name: number, kind: number): number {
    const found = this.#operations.find(service, name * 8 + kind)
    if (found >= 0) return this.#operationSeries[found] ?? 0
    const inService = this.#operationsOf[service] ?? 0
    const { operations, operationsPerService } = this.limits
    const full =
      inService >= operationsPerService || !this.mayAdd('operations', this.#operationCount, operations)
    if (full && this.#nameTexts[name] !== overflowName) {
      this.fold('operations', this.serviceName(service))
      return this.operation(service, this.#overflowNumber(), 0)
    }
    this.#operationCount++
    this.added('operations')
    this.#operationsOf[service] = inService + 1
    const series = this.keys.add(operationKind, [
      this.serviceName(service),
      this.#nameTexts[name] ?? '',
      String(kind),
    ])
    this.#operationSeries[this.#operations.add(service, name * 8 + kind)] = series
    return series
  }

  /** Series of an edge; `callee` is a service, or with `toPeer` a name. */
  edge(caller: number, callee: number, connection: number, toPeer: boolean): number {
    const first = caller * 16 + connection * 2 + (toPeer ? 1 : 0)
    const found = this.#edges.find(first, callee)
    if (found >= 0) return this.#edgeSeries[found] ?? 0
    const calleeName = (toPeer ? this.#nameTexts[callee] : this.#serviceNames[callee]) ?? ''
    const fits = this.mayAdd('edges', this.#edges.size, this.limits.edges)
    if (!fits && !(toPeer && calleeName === overflowName)) {
      this.fold('edges', this.serviceName(caller))
      return this.edge(caller, this.#overflowNumber(), connection, true)
    }
    const series = this.keys.add(edgeKind, [
      this.serviceName(caller),
      calleeName,
      connections[connection] ?? '',
      toPeer ? 'peer' : 'service',
    ])
    this.#edgeSeries[this.#edges.add(first, callee)] = series
    this.added('edges')
    return series
  }

  /** Series of a service instance; `text` is what tells instances apart, in any form. */
  instance(service: number, instance: string, version: string, process: string): number {
    const text = `${service} ${instance}\u0000${version}\u0000${process}`
    const known = this.#instances.get(text)
    if (known !== undefined) return known
    const name = this.serviceName(service)
    if (!this.mayAdd('instances', this.#instances.size, this.limits.instances)) {
      this.fold('instances', name)
      return this.keys.add(instanceKind, [name, overflowName, '', ''])
    }
    const series = this.keys.add(instanceKind, [name, instance, version, process])
    this.#instances.set(text, series)
    this.added('instances')
    return series
  }

  /** The number of `_overflow`, which always fits. */
  #overflowNumber(): number {
    return this.name(overflowName)
  }
}
