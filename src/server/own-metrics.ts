/** The process's own metrics, in Prometheus' text format. */
import { Counter, Gauge, Registry } from 'prom-client'
import { definitionOf, type MetricDefinition, type MetricName } from './metric-definitions.ts'

export type Labels = Readonly<Record<string, string>>

/** A figure that is known elsewhere and fetched when someone looks. Counters are given as their total. */
export interface Sample {
  readonly name: MetricName
  readonly labels: Labels
  readonly value: number
}

export type MetricSource = () => readonly Sample[] | Promise<readonly Sample[]>

/** A counter of one label set for what happens with every request; it is shown with the next scrape. */
export interface Tally {
  add(amount: number): void
}

/** Label sets of one metric; beyond, new ones are not shown. Bounds what tenants and tools can add. */
const maxSeriesPerMetric = 1_000

export class OwnMetrics {
  readonly #registry = new Registry()
  readonly #metrics = new Map<MetricName, Counter | Gauge>()
  readonly #series = new Map<MetricName, Set<string>>()
  readonly #sources: MetricSource[] = []
  /** Brings the tallies into their counters. */
  readonly #tallies: (() => void)[] = []

  /** Shows the counter from the start, with 0 for every label value that is known beforehand. */
  declare(...names: readonly MetricName[]): void {
    for (const name of names) {
      for (const labels of combinations(definitionOf(name).labels)) this.add(name, labels, 0)
    }
  }

  add(name: MetricName, labels: Labels = {}, amount = 1): void {
    if (this.#fits(name, labels)) this.#metric(name).inc(labels, amount)
  }

  /** The same counter, without naming it every time. */
  tally(name: MetricName, labels: Labels): Tally {
    let waiting = 0
    this.#tallies.push(() => {
      if (waiting > 0) this.add(name, labels, waiting)
      waiting = 0
    })
    return {
      add: amount => {
        waiting += amount
      },
    }
  }

  /** Asked at every scrape. A source that throws fails the scrape, which is how Prometheus learns of it. */
  addSource(source: MetricSource): void {
    this.#sources.push(source)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    for (const bringIn of this.#tallies) bringIn()
    const samples = (await Promise.all(this.#sources.map(async source => source()))).flat()
    for (const name of new Set(samples.map(sample => sample.name))) {
      this.#metric(name).reset()
      this.#series.delete(name)
    }
    // Two sources may know the same figure; it counts once.
    const distinct = new Map(samples.map(sample => [`${sample.name} ${labelKey(sample.labels)}`, sample]))
    for (const { name, labels, value } of distinct.values()) this.add(name, labels, value)
    return this.#registry.metrics()
  }

  #fits(name: MetricName, labels: Labels): boolean {
    let series = this.#series.get(name)
    if (series === undefined) {
      series = new Set()
      this.#series.set(name, series)
    }
    const key = labelKey(labels)
    if (series.has(key)) return true
    if (series.size >= maxSeriesPerMetric) return false
    series.add(key)
    return true
  }

  #metric(name: MetricName): Counter | Gauge {
    let metric = this.#metrics.get(name)
    if (metric === undefined) {
      const { type, help, labels } = definitionOf(name)
      const configuration = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] }
      metric = type === 'counter' ? new Counter(configuration) : new Gauge(configuration)
      this.#metrics.set(name, metric)
    }
    return metric
  }
}

function labelKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort())
}

/** Every combination of known label values; none at all where a label has no known values. */
function combinations(labels: MetricDefinition['labels']): readonly Labels[] {
  let sets: readonly Labels[] = [{}]
  for (const [label, values] of Object.entries(labels)) {
    sets = sets.flatMap(set => values.map(value => ({ ...set, [label]: value })))
  }
  return sets
}
