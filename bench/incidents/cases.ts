/** Labelled incidents on disk: what to send, what to ask, and, only where it is asked for, what is true. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Half-open, milliseconds since the epoch. */
export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

export interface IncidentCase {
  readonly name: string
  readonly dataset: string
  readonly folder: string
  /** A folder to load as well, with the baseline's telemetry; empty if there is none. */
  readonly baselineFolder: string
  readonly window: Window
  readonly baseline: Window
  /** The service that the alarm named; empty if nobody named one. */
  readonly service: string
}

/** Truth about a case; `service` is null for a control. */
export interface Label {
  readonly service: string | null
  /** Where else something began at the same time: as right as `service`. */
  readonly also: readonly string[]
  readonly fault: string
}

export interface CallEdge {
  readonly caller: string
  readonly callee: string
}

/** Cases below `DIR/<dataset>/<case>/`, or `DIR/<case>/` if DIR is one dataset; sorted, filtered by a glob. */
export function findCases(directory: string, only: string): readonly IncidentCase[] {
  const pattern = globPattern(only)
  const root = resolve(directory)
  const datasets = hasCases(root) ? [root] : folders(root).filter(hasCases)
  return datasets
    .flatMap(dataset =>
      folders(dataset)
        .filter(isCase)
        .map(folder => readCase(basename(dataset), folder)),
    )
    .filter(each => pattern.test(each.name))
}

function folders(directory: string): readonly string[] {
  return readdirSync(directory)
    .sort()
    .map(name => join(directory, name))
    .filter(path => statSync(path).isDirectory())
}

function isCase(folder: string): boolean {
  return !basename(folder).startsWith('_') && existsSync(join(folder, 'case.json'))
}

function hasCases(directory: string): boolean {
  return folders(directory).some(isCase)
}

/** `*` and `?` as in a shell; empty matches everything. */
function globPattern(glob: string): RegExp {
  if (glob === '') return /^/
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}

interface CaseFile {
  readonly baseline?: string
  readonly baseline_window_unix: readonly [number, number]
  readonly fault_window_unix: readonly [number, number]
  readonly target?: { readonly node?: string }
}

function readCase(dataset: string, folder: string): IncidentCase {
  const file = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as CaseFile // layout of the data
  return {
    name: basename(folder),
    dataset,
    folder,
    baselineFolder: file.baseline === undefined ? '' : join(folder, file.baseline),
    window: windowOf(file.fault_window_unix),
    baseline: windowOf(file.baseline_window_unix),
    service: file.target?.node ?? '',
  }
}

function windowOf([from, to]: readonly [number, number]): Window {
  return { fromMs: Math.round(from * 1000), toMs: Math.round(to * 1000) }
}

/** Export requests of one signal in a folder, as OTLP/JSON texts. */
export function requestsIn(folder: string, signal: string): readonly string[] {
  const path = join(folder, `${signal}.jsonl.gz`)
  if (!existsSync(path)) return []
  return gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')
}

/** Call edges of `graph.json` beside the baseline, where there is one. */
export function graphOf(incident: IncidentCase): readonly CallEdge[] {
  const path = incident.baselineFolder === '' ? '' : join(incident.baselineFolder, 'graph.json')
  if (path === '' || !existsSync(path)) return []
  const file = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly edges: readonly (readonly [string, string])[]
  }
  return file.edges.map(([caller, callee]) => ({ caller, callee }))
}

interface LabelLine {
  readonly case: string
  readonly root_cause_service: string | null
  readonly also_root_cause?: readonly string[]
  readonly fault_type: string
}

/** Labels beside the cases, by case name. */
export function readLabels(cases: readonly IncidentCase[]): ReadonlyMap<string, Label> {
  const labels = new Map<string, Label>()
  for (const dataset of new Set(cases.map(each => join(each.folder, '..')))) {
    for (const line of readFileSync(join(dataset, 'labels.jsonl'), 'utf8').split('\n')) {
      if (line === '') continue
      const label = JSON.parse(line) as LabelLine // layout of the data
      labels.set(label.case, {
        service: label.root_cause_service,
        also: label.also_root_cause ?? [],
        fault: label.fault_type,
      })
    }
  }
  return labels
}
