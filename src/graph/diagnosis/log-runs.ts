/** Runs of log templates: what each service entry wrote, in order, lines missing altogether included. */
import type { TemplateRecord } from '../../model/store.ts'
import { errorSeverity, type LogLine } from './log-lines.ts'
import { metricWords } from './metric-meaning.ts'
import { type Names, pairOf } from './names.ts'
import type { PatternPool, Run } from './sequences.ts'
import { spanKinds, type TraceSet } from './trace-set.ts'

/**
 * One run per entry of a trace from which at least one line arrived: in other traces silence says nothing,
 * since a client may sample logs with traces or lose a batch.
 */
export function logRuns(
  set: TraceSet,
  lines: readonly LogLine[],
  names: Names,
  unhealthy: ReadonlySet<number>,
  pool: PatternPool,
): readonly Run[] {
  const perEntry = new Map<number, LogLine[]>()
  const heard = new Uint8Array(set.traces)
  for (const line of lines) {
    heard[line.trace] = 1
    const list = perEntry.get(line.entry)
    if (list === undefined) perEntry.set(line.entry, [line])
    else list.push(line)
  }
  const tokens = new Map<number, number>()
  const tokenOf = (template: number): number => {
    const known = tokens.get(template) ?? names.id(`log:${template}`)
    tokens.set(template, known)
    return known
  }
  const contexts = new Map<number, string>()
  const runs: Run[] = []
  for (let row = 0; row < set.spans; row++) {
    const trace = set.trace[row] ?? 0
    if (set.entry[row] !== row || heard[trace] !== 1) continue
    const own = perEntry.get(row) ?? []
    own.sort((a, b) => a.timeMs - b.timeMs || a.template - b.template)
    const service = set.service[row] ?? 0
    const name = set.name[row] ?? 0
    const context = contexts.get(pairOf(service, name)) ?? `${names.text(service)}\n${names.text(name)}\nlogs`
    contexts.set(pairOf(service, name), context)
    runs.push({
      service,
      context,
      trace,
      entry: row,
      pattern: pool.of(own.map(line => tokenOf(line.template))),
      times: own.map(line => line.timeMs),
      startMs: set.startMs[row] ?? 0,
      endMs: set.endMs[row] ?? 0,
      unhealthy: unhealthy.has(row),
    })
  }
  return runs
}

/** The template of a run's token; undefined for one that is none. */
export function templateOf(
  names: Names,
  templates: ReadonlyMap<number, TemplateRecord>,
  token: number,
): TemplateRecord | undefined {
  const text = token < 0 ? '' : names.text(token)
  return text.startsWith('log:') ? templates.get(Number(text.slice(4))) : undefined
}

/** Words that frameworks call their error handling by. */
const errorWords = new Set(['error', 'exception', 'failure'])

/**
 * Entries that failed, wrote an error, or ran a span that is named for handling one: not everybody sets a status.
 * An entry's own name is what was asked for, and an operation may well be about errors.
 */
export function unhealthyEntries(
  set: TraceSet,
  lines: readonly LogLine[],
  names: Names,
): ReadonlySet<number> {
  const rows = new Set<number>()
  const handling = new Map<number, boolean>()
  const handlesError = (name: number): boolean => {
    const known = handling.get(name) ?? metricWords(names.text(name)).some(word => errorWords.has(word))
    handling.set(name, known)
    return known
  }
  for (let row = 0; row < set.spans; row++) {
    const entry = set.entry[row] ?? row
    const local = entry !== row && set.kind[row] !== spanKinds.client
    if (set.failed[row] === 1 || (local && handlesError(set.name[row] ?? 0))) rows.add(entry)
  }
  for (const line of lines) if (line.severity >= errorSeverity) rows.add(line.entry)
  return rows
}
