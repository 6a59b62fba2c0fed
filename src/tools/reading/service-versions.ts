/** Which two versions of a service are compared, and where their requests are. */
import type { RollupView } from '../../model/rollup.ts'
import { nearMatches } from '../arguments/near-matches.ts'
import { ArgumentProblem } from '../arguments/problem.ts'
import { isPlainName, matchName } from '../text/name.ts'

export interface ChosenVersions {
  readonly service: string
  readonly after: string
  readonly before: string
  /** Both served requests in the window; else the other one is looked at in the baseline window. */
  readonly sameWindow: boolean
}

/** Requests of a version in the window that are enough to compare it there with another one. */
const leastBeside = 20

/** Requests by version, the most first. */
function versionsOf(view: RollupView, service: string): ReadonlyMap<string, number> {
  const requests = new Map<string, number>()
  for (const series of view.series('instance', service)) {
    const [owner = '', , version = ''] = series.key
    if (owner === service && version !== '')
      requests.set(version, (requests.get(version) ?? 0) + series.total('count'))
  }
  return new Map([...requests].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
}

function requireVersion(field: string, named: string, known: readonly string[]): string {
  const found = matchName(named, known, 'name')
  if (found !== null) return found
  const plain = known.filter(isPlainName)
  const near = nearMatches(named, plain)
  throw new ArgumentProblem('no_such_entity', 'the service had no such version there', {
    field,
    near,
    accepted: near.length > 0 ? [] : plain.slice(0, 10),
  })
}

/** Throws ArgumentProblem `no_such_entity` for a version that served nothing, or if there is only one. */
export function chooseVersions(
  service: string,
  named: { readonly version?: string | undefined; readonly baseline_version?: string | undefined },
  window: RollupView,
  baseline: RollupView,
): ChosenVersions {
  const here = versionsOf(window, service)
  const there = versionsOf(baseline, service)
  const [first = ''] = [...here.keys()].filter(version => version !== named.baseline_version)
  const after = requireVersion('version', named.version ?? first, [...here.keys()])
  const others = [...new Set([...here.keys(), ...there.keys()])].filter(version => version !== after)
  const beside = [...here].find(([version, count]) => version !== after && count >= leastBeside)?.[0]
  const earlier = [...there.keys()].find(version => version !== after)
  const before = requireVersion('baseline_version', named.baseline_version ?? beside ?? earlier ?? '', others)
  const enoughHere = (here.get(before) ?? 0) >= leastBeside
  return { service, after, before, sameWindow: enoughHere || !there.has(before) }
}
