/**
 * What a metric measures, read from the words of its name: those of the semantic conventions and those that
 * people use everywhere. No list of full names, so that metrics nobody has seen yet are understood too.
 */

export type MetricRole =
  /** CPU, memory and the like of one process, container or pod. */
  | 'cpu'
  | 'memory'
  | 'other_resource'
  /** Mean time of requests. */
  | 'latency'
  /** A quantile or extreme of it, which cannot be added up. */
  | 'latency_quantile'
  | 'errors'
  /** Share of requests that succeed; less is worse. */
  | 'availability'
  | 'requests'
  | 'none'

const cpuWords = new Set(['cpu', 'processor', 'throttled', 'throttling', 'eventloop'])
const memoryWords = new Set(['memory', 'mem', 'heap', 'rss', 'oom'])
const resourceWords = new Set(['gc', 'disk', 'filesystem', 'threads', 'pool', 'saturation'])
const latencyWords = new Set(['latency', 'duration', 'responsetime', 'elapsed'])
const errorWords = new Set(['error', 'errors', 'failure', 'failures', 'failed', 'fault', 'faults', '5xx'])
const availabilityWords = new Set(['availability', 'success', 'successrate'])
const requestWords = new Set(['request', 'requests', 'calls', 'hits', 'invocations'])
/** Of the machine that many services share, which says little about any one of them. */
const sharedWords = new Set(['node', 'host', 'system', 'cluster'])
/** Of calls that a service makes, whose time belongs to those it calls. */
const outboundWords = new Set(['client', 'outbound', 'upstream'])
/** Fixed amounts rather than use. */
const limitWords = new Set(['limit', 'limits', 'requested', 'quota', 'capacity', 'count', 'size', 'total'])
const quantileWord = /^(p\d{2,3}|q\d{2,3}|max|min|median|quantile|percentile|maximum|minimum|stddev)$/

/** Words of a metric name, lower case: split at anything but letters and digits, and at humps. */
export function metricWords(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(word => word !== '')
}

export function metricRole(name: string): MetricRole {
  const words = metricWords(name)
  const has = (set: ReadonlySet<string>) => words.some(word => set.has(word))
  if (has(latencyWords)) {
    if (has(outboundWords)) return 'none'
    return words.some(word => quantileWord.test(word)) ? 'latency_quantile' : 'latency'
  }
  if (has(availabilityWords)) return 'availability'
  if (has(errorWords)) return 'errors'
  if (has(sharedWords)) return 'none'
  const resource = has(cpuWords)
    ? 'cpu'
    : has(memoryWords)
      ? 'memory'
      : has(resourceWords)
        ? 'other_resource'
        : null
  if (resource !== null) return has(limitWords) ? 'none' : resource
  if (has(requestWords)) return has(outboundWords) ? 'none' : 'requests'
  return 'none'
}
