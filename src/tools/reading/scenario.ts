/** `scenario` of `impact_analysis`: what would happen if a service failed or slowed, replayed on stored traces. */
import { Names } from '../../graph/diagnosis/names.ts'
import { readSample } from '../../graph/diagnosis/sampling.ts'
import { type Replay, replay, type Scenario } from '../../graph/scenario/replay.ts'
import { markTargets, type Target } from '../../graph/scenario/target.ts'
import { nearMatches } from '../arguments/near-matches.ts'
import { ArgumentProblem } from '../arguments/problem.ts'
import { isPlainName, matchName } from '../text/name.ts'
import type { ToolContext } from '../tool.ts'
import { spreadThrough } from './traces-through.ts'

/** As the argument takes it. */
export const scenarioForm: RegExp = /^(?:fails|\+\d{1,6}(?:\.\d+)?(?:ms|s))$/

export function parseScenario(text: string): Scenario {
  if (text === 'fails') return { kind: 'fails' }
  const number = Number.parseFloat(text.slice(1))
  return { kind: 'slower', delayMs: text.endsWith('ms') ? number : number * 1_000 }
}

export interface PlayedScenario {
  readonly scenario: Scenario
  readonly target: Target
  /** Null if no stored trace of the window leads to the target. */
  readonly replay: Replay | null
  readonly traces: number
  /** Share of the window's spans that were read, 0 to 1. */
  readonly share: number
  readonly sampledAtSource: boolean
  /** Spans whose parent was never seen: their requests look as if they began there. */
  readonly orphans: number
}

/** Throws ArgumentProblem `no_such_entity` for an operation that the service does not have in the window. */
export async function playScenario(
  service: string,
  operation: string | undefined,
  scenario: Scenario,
  context: ToolContext,
): Promise<PlayedScenario> {
  const { reader, window, deadline } = context
  const names = new Names()
  const sample = await readSample(reader, window, names, deadline, undefined, 0)
  const { set } = sample
  const everything = markTargets(set, names, { service })
  const target: Target =
    operation === undefined
      ? { service }
      : { service, operation: requireOperation(operation, operationsOf(everything, set.name, names)) }
  const base = {
    scenario,
    target,
    traces: set.traces,
    share: sample.share,
    sampledAtSource: sample.sampledAtSource,
    orphans: set.orphans,
  }
  if (!everything.includes(1)) return { ...base, replay: null }
  // The traces of the replay may hold no failure.
  const spread = scenario.kind === 'fails' ? (await spreadThrough(service, context)).spread : []
  return { ...base, replay: replay({ set, names, target, scenario, spread, deadline }) }
}

function operationsOf(marked: Uint8Array, name: Uint32Array, names: Names): readonly string[] {
  const found = new Set<string>()
  for (const [row, is] of marked.entries()) if (is === 1) found.add(names.text(name[row] ?? 0))
  return [...found].sort()
}

function requireOperation(named: string, operations: readonly string[]): string {
  const found = matchName(named, operations, 'op')
  if (found !== null || operations.length === 0) return found ?? named
  const plain = operations.filter(isPlainName)
  const near = nearMatches(named, plain)
  throw new ArgumentProblem('no_such_entity', 'the service has no such operation in this window', {
    field: 'operation',
    near,
    accepted: near.length > 0 ? [] : plain.slice(0, 10),
  })
}
