/** Finds what a service argument means, and says what was probably meant if there is no such service. */
import { hostOf } from '../../graph/diagnosis/peer-hosts.ts'
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
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

async function everything(reader: TelemetryReader, window: TimeRange): Promise<RollupView | null> {
  const { oldestMs, newestMs } = await reader.coverage(window)
  if (oldestMs === null || newestMs === null) return null
  return reader.rollups({ fromMs: oldestMs, toMs: newestMs + 1 }, 600)
}

/**
 * To a diagnosis a host that is called on several ports is one service and goes by the host's name. What else is asked
 * about it is answered of the port that is called most, under that name.
 */
function busiestPort(host: string, view: RollupView): string | null {
  const calls = new Map<string, number>()
  for (const series of view.series('edge')) {
    const callee = series.key[1] ?? ''
    if (hostOf(callee) === host) calls.set(callee, (calls.get(callee) ?? 0) + series.total('count'))
  }
  const [busiest] = [...calls].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return busiest?.[0] ?? null
}

/**
 * The service's true name. Services silent in the window but known before are found too, and hosts by one of their
 * ports. Throws ArgumentProblem `no_such_entity` with near matches.
 */
export async function requireService(
  named: string,
  reader: TelemetryReader,
  window: TimeRange,
): Promise<string> {
  const inWindow = await reader.rollups(window)
  const here = matchName(named, servicesOf(inWindow)) ?? busiestPort(named, inWindow)
  if (here !== null) return here
  const view = await everything(reader, window)
  const all = view === null ? [] : servicesOf(view)
  const known = matchName(named, all) ?? (view === null ? null : busiestPort(named, view))
  if (known !== null) return known
  const plain = all.filter(isPlainName)
  const near = nearMatches(named, plain)
  throw new ArgumentProblem('no_such_entity', 'no service of this name is known here', {
    field: 'service',
    near,
    accepted: near.length > 0 ? [] : plain.slice(0, 10),
  })
}

/** Blocks of a thousand spans or so that are looked at for a destination, the newest. */
const maxBlocks = 100

/**
 * Whether spans of the window send to something of this name, which the graph does not know where whoever takes it is
 * known: a call goes from service to service, a queue between them is in the spans alone.
 */
async function isDestination(named: string, reader: TelemetryReader, range: TimeRange): Promise<boolean> {
  let left = maxBlocks
  for await (const { block } of reader.scanSpans({ range, order: 'newest_first' })) {
    const text = block.strings.indexOf(named)
    if (text > 0 && block.peer.includes(text)) return true
    if (--left === 0) return false
  }
  return false
}

/** The true name of a service, or the name of what spans send to; as `requireService` otherwise. */
export async function requireServiceOrDestination(
  named: string,
  reader: TelemetryReader,
  window: TimeRange,
  deadline: Deadline,
): Promise<string> {
  try {
    return await requireService(named, reader, window)
  } catch (error) {
    deadline.check()
    if (error instanceof ArgumentProblem && (await isDestination(named, reader, window))) return named
    throw error
  }
}

/** Whether every tool would know it. */
export async function isService(named: string, reader: TelemetryReader, window: TimeRange): Promise<boolean> {
  try {
    await requireService(named, reader, window)
    return true
  } catch (error) {
    if (error instanceof ArgumentProblem) return false
    throw error
  }
}

/** The true name, or undefined where none was named. */
export async function optionalService(
  named: string | undefined,
  reader: TelemetryReader,
  window: TimeRange,
): Promise<string | undefined> {
  return named === undefined ? undefined : requireService(named, reader, window)
}
