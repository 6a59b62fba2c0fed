/** Which services there are and who calls whom: a graph without cycles in which every edge is used. */
import type { LoadProfile } from './load-profile.ts'
import { seededRandom } from './seeded-random.ts'

export interface CallPlan {
  readonly services: readonly string[]
  /** Numbers of the services each one calls. */
  readonly callees: readonly (readonly number[])[]
}

/** Calls go to services of a higher number only; a graph of n services has at most n(n-1)/2 edges. */
export function callPlan(profile: LoadProfile): CallPlan {
  const { services: count } = profile
  const random = seededRandom(profile.seed ^ 0x5eed)
  const digits = Math.max(2, String(count - 1).length)
  const services = Array.from({ length: count }, (_, n) => `service-${String(n).padStart(digits, '0')}`)
  const callees: Set<number>[] = services.map(() => new Set())
  let left = Math.min(profile.edges, (count * (count - 1)) / 2)
  // A chain first, so that every service is called; then evenly, as far as there is somebody left to call.
  for (let n = 0; n + 1 < count && left > 0; n++, left--) callees[n]?.add(n + 1)
  while (left > 0) {
    for (let n = 0; n + 1 < count && left > 0; n++) {
      const known = callees[n]
      const others = count - n - 1
      if (known === undefined || known.size >= others) continue
      let callee = n + 1 + random.below(others)
      while (known.has(callee)) callee = callee + 1 < count ? callee + 1 : n + 1
      known.add(callee)
      left--
    }
  }
  return { services, callees: callees.map(set => [...set]) }
}
