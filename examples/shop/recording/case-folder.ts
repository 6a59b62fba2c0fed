/** Recorded cases on disk, in the layout that `bench:incidents` reads. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { clientsOf } from '../orchestration/plan.ts'
import { type Signal, signals } from './otlp-receiver.ts'
import type { PlannedCase, PlannedSession } from './plan-recording.ts'
import type { TelemetryStyle } from './telemetry-style.ts'

export type RecordedLines = Readonly<Record<Signal, readonly string[]>>

/** Half-open, milliseconds since the epoch. */
export interface RecordedWindow {
  readonly fromMs: number
  readonly toMs: number
}

export interface RecordedCase {
  readonly plan: PlannedCase
  readonly style: TelemetryStyle
  readonly window: RecordedWindow
  readonly baseline: RecordedWindow
  /** Name of the folder below `baselines`. */
  readonly baselineName: string
  readonly lines: RecordedLines
  /** Share of time in which the machine was too busy for the shop. */
  readonly stalls: number
}

/** Share of stalled time from which a case goes to a data set of its own: everything was slow a little. */
const busyStalls = 0.05

/** Data sets of a half: cases of a machine that was at the shop's disposal, and of one that was busy otherwise. */
const datasetsOf = (half: PlannedCase['dataset']): readonly string[] => [half, `${half}-busy`]

/** A case counts once its folder is complete: it is written beside and renamed. */
export function isRecorded(directory: string, { dataset, name }: PlannedCase): boolean {
  return datasetsOf(dataset).some(set => existsSync(join(directory, set, name, 'case.json')))
}

/** A name below `baselines` that no earlier attempt took. */
export function freeBaselineName(directory: string, session: PlannedSession): string {
  const taken = existsSync(join(directory, 'baselines')) ? readdirSync(join(directory, 'baselines')) : []
  const attempts = taken.filter(name => name.startsWith(`${session.name}-`)).length
  return `${session.name}-${attempts + 1}`
}

export function writeBaseline(directory: string, name: string, lines: RecordedLines): void {
  writeLines(join(directory, 'baselines', name), lines)
}

export function writeCase(directory: string, recorded: RecordedCase): void {
  const { plan, style, window, baseline } = recorded
  const [calm = '', busy = ''] = datasetsOf(plan.dataset)
  const folder = join(directory, recorded.stalls > busyStalls ? busy : calm, plan.name)
  const beside = `${folder}.part`
  rmSync(beside, { recursive: true, force: true })
  writeLines(beside, recorded.lines)
  const about = {
    case: plan.name,
    system: 'shop',
    baseline_window_unix: seconds(baseline),
    baseline: `../../baselines/${recorded.baselineName}`,
    fault_window_unix: seconds(window),
    style: style.name,
    stalls: Math.round(recorded.stalls * 1000) / 1000,
  }
  writeFileSync(join(beside, 'case.json'), `${JSON.stringify(about, null, 1)}\n`)
  rmSync(folder, { recursive: true, force: true })
  renameSync(beside, folder)
}

/** Truth about every case that is recorded, in a file beside the cases; it follows from the plan. */
export function writeLabels(directory: string, sessions: readonly PlannedSession[]): void {
  const planned = sessions.flatMap(({ style, cases }) => cases.map(plan => ({ plan, style })))
  for (const dataset of [...datasetsOf('develop'), ...datasetsOf('report')]) {
    const lines = planned
      .filter(({ plan }) => datasetsOf(plan.dataset).includes(dataset))
      .filter(({ plan }) => existsSync(join(directory, dataset, plan.name, 'case.json')))
      .map(({ plan, style }) => labelLine(plan, style))
    if (lines.length > 0)
      writeFileSync(join(directory, dataset, 'labels.jsonl'), `${lines.sort().join('\n')}\n`)
  }
}

/**
 * What is as right as the first place: a second trouble; the name that clients have for a process without telemetry;
 * where no span has a status, its clients too, since nobody can tell on which side of the wire it went wrong; and clients
 * that send no telemetry themselves, behind whom nobody sees anything.
 */
function asRight({ places, fault }: PlannedCase, style: TelemetryStyle): readonly string[] {
  const unclear = !style.status && (fault === 'dependency-errors' || fault === 'dependency-down')
  const names = places.flatMap(place => {
    const clients = clientsOf[place]
    if (clients === undefined) return []
    return [clients.name, ...clients.services.filter(name => unclear || style.silent.includes(name))]
  })
  return [...new Set([...places.slice(1), ...names])].filter(name => name !== places[0])
}

function labelLine(planned: PlannedCase, style: TelemetryStyle): string {
  const { name, places, fault, group, detail } = planned
  return JSON.stringify({
    case: name,
    root_cause_service: places[0] ?? null,
    also_root_cause: asRight(planned, style),
    fault_type: fault,
    group,
    detail,
    style: style.name,
  })
}

function writeLines(folder: string, lines: RecordedLines): void {
  mkdirSync(folder, { recursive: true })
  for (const signal of signals) {
    writeFileSync(
      join(folder, `${signal}.jsonl.gz`),
      gzipSync(lines[signal].map(line => `${line}\n`).join('')),
    )
  }
}

function seconds({ fromMs, toMs }: RecordedWindow): readonly [number, number] {
  return [fromMs / 1000, toMs / 1000]
}
