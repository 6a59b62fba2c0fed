/**
 * The same incident under other names, years later, its requests in another order: an answer that changes knows the
 * data set and not the trouble. Services and instances get other names wherever they are said, metric names lose the
 * words that only their system uses.
 */
import type { IncidentCase, Window } from './cases.ts'
import { type KeyValue, metricsOf, pointsOf, type RequestJson, spansOf } from './otlp-json.ts'
import { chanceOf, shiftTimes } from './perturbations.ts'

/** Whole days, so that nothing hangs on the hour of the day; about three years. */
const laterMs = 1100 * 86_400_000

/** Attributes whose value names a service or an instance of one. */
const naming = new Set([
  'service.name',
  'service.namespace',
  'service.instance.id',
  'k8s.pod.name',
  'peer.service',
  'server.address',
  'client',
  'server',
])

/** Words of a metric name that say what is measured, whatever the system; any other word is the system's own. */
const generalWords =
  /^(cpu|memory|latency|duration|error|errors|availability|requests?|usage|utilization|load|average|sum|p\d+|server|client|service|node|traces|graph|total|network|receive|transmit|syscall|read|write|workload)$/

export class Disguise {
  readonly #names = new Map<string, string>()

  /** Another name, always the same one for a name; it sorts elsewhere. */
  nameOf(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const made = `n${Math.floor(chanceOf(`disguise ${name}`) * 1e9).toString(36)}-${this.#names.size}`
    this.#names.set(name, made)
    return made
  }

  ask(incident: IncidentCase): IncidentCase {
    const later = ({ fromMs, toMs }: Window): Window => ({ fromMs: fromMs + laterMs, toMs: toMs + laterMs })
    const service = incident.service === '' ? '' : this.nameOf(incident.service)
    return { ...incident, window: later(incident.window), baseline: later(incident.baseline), service }
  }

  /** Changes a request in place. */
  change(request: RequestJson): void {
    shiftTimes(request, BigInt(laterMs) * 1_000_000n)
    const resources = [
      ...(request.resourceSpans ?? []),
      ...(request.resourceLogs ?? []),
      ...(request.resourceMetrics ?? []),
    ]
    for (const { resource } of resources) this.#rename(resource?.attributes)
    for (const span of spansOf(request)) this.#rename(span.attributes)
    for (const metric of metricsOf(request)) {
      metric.name = this.#metricName(metric.name)
      for (const point of pointsOf(metric)) this.#rename(point.attributes)
    }
  }

  #rename(attributes: readonly KeyValue[] | undefined): void {
    for (const { key, value } of attributes ?? []) {
      if (naming.has(key) && value.stringValue !== undefined)
        value.stringValue = this.nameOf(value.stringValue)
    }
  }

  #metricName(name: string): string {
    if (name.startsWith('traces_service_graph_')) return name // a name of the Collector's, not of a system
    return name
      .split('.')
      .map(word => (generalWords.test(word) ? word : this.nameOf(word)))
      .join('.')
  }
}

/** The same requests in an order of their own. */
export function shuffled<T>(items: readonly T[], seed: string): readonly T[] {
  return items
    .map((item, i) => ({ item, at: chanceOf(`${seed} ${i}`) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
