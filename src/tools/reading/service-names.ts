/** Finds what a service argument means, and says what was probably meant if there is no such service. */
import type { TelemetryReader } from '../../model/reader.ts'
import type { RollupView } from '../../model/rollup.ts'
import type { TimeRange } from '../../model/time.ts'
import { nearMatches } from '../arguments/near-matches.ts'
import { ArgumentProblem } from '../arguments/problem.ts'
import { isPlainName, matchName } from '../text/name.ts'

const kinds = ['service', 'operation', 'severity', 'metric', 'edge'] as const

/** Every service of a view that sent something, and every callee, sorted. */
export function servicesOf(view: RollupView): readonly string[] {
  const names = new Set<string>()
  for (const kind of kinds) {
    for (const { key } of view.series(kind)) {
      names.add(key[0] ?? '')
      if (kind === 'edge') names.add(key[1] ?? '')
    }
  }
  names.delete('')
  return [...names].sort()
}

async function everything(reader: TelemetryReader, window: TimeRange): Promise<readonly string[]> {
  const { oldestMs, newestMs } = await reader.coverage(window)
  if (oldestMs === null || newestMs === null) return []
  return servicesOf(await reader.rollups({ fromMs: oldestMs, toMs: newestMs + 1 }, 600))
}

/**
 * The service's true name. Services silent in the window but known before are found too. Throws
 * ArgumentProblem `no_such_entity` with near matches.
 */
export async function requireService(
  named: string,
  reader: TelemetryReader,
  window: TimeRange,
): Promise<string> {
  const here = matchName(named, servicesOf(await reader.rollups(window)))
  if (here !== null) return here
  const all = await everything(reader, window)
  const known = matchName(named, all)
  if (known !== null) return known
  const plain = all.filter(isPlainName)
  const near = nearMatches(named, plain)
  throw new ArgumentProblem('no_such_entity', 'no service of this name is known here', {
    field: 'service',
    near,
    accepted: near.length > 0 ? [] : plain.slice(0, 10),
  })
}

/** The true name, or undefined where none was named. */
export async function optionalService(
  named: string | undefined,
  reader: TelemetryReader,
  window: TimeRange,
): Promise<string | undefined> {
  return named === undefined ? undefined : requireService(named, reader, window)
}
