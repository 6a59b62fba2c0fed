/**
 * Hosts whose services answer on one port after another: each restart behind a name moves a service without telemetry to
 * another address, and its replicas have one each. Taken apart, every one of them would be a stranger without a past.
 */
import type { FlowEdge } from './flow-shift.ts'

/** Host by `host:port`, for hosts that are called on more than one port or by their name alone as well. */
export function portsOfOneHost(edges: readonly FlowEdge[]): ReadonlyMap<string, string> {
  const seen = new Map<string, Set<string>>()
  for (const { callee } of edges) {
    const host = hostOf(callee) ?? callee
    const names = seen.get(host) ?? new Set()
    seen.set(host, names.add(callee))
  }
  const hosts = new Map<string, string>()
  for (const [host, names] of seen) {
    if (names.size < 2) continue
    for (const name of names) if (name !== host) hosts.set(name, host)
  }
  return hosts
}

/** The host of `host:port`. Whoever has no name is told apart by its port, and so is the caller's own machine; null for these. */
export function hostOf(callee: string): string | null {
  const colon = callee.lastIndexOf(':')
  const host = callee.slice(0, Math.max(0, colon))
  const named = /[a-z]/i.test(host) && !host.includes(':') && host.toLowerCase() !== 'localhost'
  return named && /^\d+$/.test(callee.slice(colon + 1)) ? host : null
}

/** The same edges, each once, with the name that stands for several in place of each of them. */
export function withOneName(
  edges: readonly FlowEdge[],
  names: ReadonlyMap<string, string>,
): readonly FlowEdge[] {
  if (names.size === 0) return edges
  const merged = new Map<string, FlowEdge>()
  for (const { caller, callee } of edges) {
    const name = names.get(callee) ?? callee
    merged.set(`${caller}\n${name}`, { caller, callee: name })
  }
  return [...merged].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, edge]) => edge)
}
