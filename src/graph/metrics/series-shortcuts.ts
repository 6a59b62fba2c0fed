/**
 * Series by the very entries that the decoder gives to all batches, so that their names need not be put together
 * and looked up again for every point. Equal entries that are other objects are simply not found.
 */
import type { MetricEntry, ResourceEntry } from '../../model/telemetry.ts'

/** Everything is forgotten beyond it: four times the series of a large tenant, some 200 bytes each. */
const maxShortcuts = 80_000

interface Shortcut<T> {
  readonly resource: ResourceEntry
  readonly metric: MetricEntry
  readonly attributes: string
  readonly value: T
  /** What was asked for next, the last time: exports of one sender resemble each other. */
  next: Shortcut<T> | null
}

export class SeriesShortcuts<T> {
  #size = 0
  #known = new Map<ResourceEntry, Map<MetricEntry, Map<string, Shortcut<T>>>>()
  #last: Shortcut<T> | null = null

  find(resource: ResourceEntry, metric: MetricEntry, attributes: string): T | undefined {
    const expected = this.#last?.next
    if (
      expected != null &&
      expected.metric === metric &&
      expected.resource === resource &&
      expected.attributes === attributes
    ) {
      this.#last = expected
      return expected.value
    }
    const found = this.#known.get(resource)?.get(metric)?.get(attributes)
    return found === undefined ? undefined : this.#follow(found)
  }

  add(resource: ResourceEntry, metric: MetricEntry, attributes: string, value: T): void {
    if (this.#size >= maxShortcuts) this.#forget()
    const ofResource = this.#known.get(resource) ?? new Map<MetricEntry, Map<string, Shortcut<T>>>()
    this.#known.set(resource, ofResource)
    const ofMetric = ofResource.get(metric) ?? new Map<string, Shortcut<T>>()
    ofResource.set(metric, ofMetric)
    const shortcut = { resource, metric, attributes, value, next: null }
    ofMetric.set(attributes, shortcut)
    this.#size++
    this.#follow(shortcut)
  }

  #follow(shortcut: Shortcut<T>): T {
    if (this.#last !== null) this.#last.next = shortcut
    this.#last = shortcut
    return shortcut.value
  }

  #forget(): void {
    this.#known = new Map()
    this.#size = 0
    this.#last = null
  }
}
