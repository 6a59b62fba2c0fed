/**
 * Replicas of a service without telemetry that nobody calls by a name: addresses with one port, which the same services
 * ask for the same things. Taken apart each is a candidate of its own, as much to blame as the next, and one that takes
 * over from another is a stranger without a past.
 */
import type { Names } from './names.ts'
import { remoteChildren } from './time-charges.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

interface Address {
  readonly peer: number
  readonly port: string
  readonly callers: Set<number>
  /** Names of calls that say what they are about. */
  readonly calls: Set<number>
}

/** Peers that are one with another, which stands for all of them: the first by its text. */
export function replicasOf(sets: readonly TraceSet[], names: Names): ReadonlyMap<number, number> {
  const addresses = addressesOf(sets, names)
  const found = new Map<number, number>()
  if (addresses.length < 2) return found
  addresses.sort((a, b) => (names.text(a.peer) < names.text(b.peer) ? -1 : 1))
  const groups: (readonly [Address, ...Address[]])[] = []
  for (const one of addresses) {
    const at = groups.findIndex(group => group.some(other => isReplica(one, other)))
    const group = groups[at]
    if (group === undefined) groups.push([one])
    else groups[at] = [...group, one]
  }
  for (const [first, ...others] of groups) for (const { peer } of others) found.set(peer, first.peer)
  return found
}

/** The same set with those that stand for them in place of replicas. */
export function withReplicas(set: TraceSet, replicas: ReadonlyMap<number, number>): TraceSet {
  if (replicas.size === 0) return set
  return { ...set, peer: set.peer.map(peer => replicas.get(peer) ?? peer) }
}

function isReplica(a: Address, b: Address): boolean {
  return a.port === b.port && alike(a.callers, b.callers) && alike(a.calls, b.calls)
}

/** One that is asked less often is asked for less: what it is asked for must be among what the other is. */
function alike(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size > 0 && b.size > 0 && (a.isSubsetOf(b) || b.isSubsetOf(a))
}

/** Addresses told apart at most: what calls more of them has no fixed peers, and comparing each with each takes time. */
const maxAddresses = 256

function addressesOf(sets: readonly TraceSet[], names: Names): Address[] {
  const found = new Map<number, Address | null>()
  const telling = new Map<number, boolean>()
  const tells = (name: number): boolean => {
    const known = telling.get(name) ?? saysWhat(names.text(name))
    telling.set(name, known)
    return known
  }
  for (const set of sets) {
    let child: Int32Array | null = null
    for (let row = 0; row < set.spans; row++) {
      const peer = set.peer[row] ?? 0
      if (peer === 0 || set.kind[row] !== spanKinds.client) continue
      let address = found.get(peer)
      if (address === undefined) address = addressOf(peer, names.text(peer))
      child ??= remoteChildren(set)
      // Who answers with spans of its own has a name.
      if ((child[row] ?? -1) >= 0) address = null
      found.set(peer, address)
      if (address === null) continue
      address.callers.add(set.service[row] ?? 0)
      const name = set.name[row] ?? 0
      if (tells(name)) address.calls.add(name)
    }
  }
  const addresses = [...found.values()].filter(address => address !== null)
  return addresses.length > maxAddresses ? [] : addresses
}

/** An address of version 4 or 6 with a port; null for a name. */
function addressOf(peer: number, text: string): Address | null {
  const port = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[\da-f]*:[\da-f:]*\]?):(\d{1,5})$/i.exec(text)?.[1]
  return port === undefined ? null : { peer, port, callers: new Set(), calls: new Set() }
}

/** Words that every call over HTTP bears. */
const saysNothing = new Set([
  'http',
  'https',
  'get',
  'post',
  'put',
  'patch',
  'delete',
  'head',
  'options',
  'request',
])

function saysWhat(name: string): boolean {
  return name.split(/[^\p{L}]+/u).some(word => word !== '' && !saysNothing.has(word.toLowerCase()))
}
