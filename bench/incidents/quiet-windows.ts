/**
 * Further questions whose true answer is that nothing is wrong: windows cut from the fault-free times of the cases,
 * compared with what is left of those times.
 */
import type { IncidentCase, Window } from './cases.ts'

/** Windows per baseline at most; two days of one would outnumber everything else. */
const mostPerBaseline = 40
/** What is left must be at least this many times as long as the window. */
const minRest = 1.5

/** Groups of cases with the same fault-free time: one of them stands for all. */
export function distinctBaselines(cases: readonly IncidentCase[]): readonly IncidentCase[] {
  const found = new Map<string, IncidentCase>()
  for (const one of cases) {
    const folder = one.baselineFolder === '' ? one.folder : one.baselineFolder
    const key = [folder, one.baseline.fromMs, one.baseline.toMs, one.service].join(' ')
    if (!found.has(key)) found.set(key, one)
  }
  return [...found.values()]
}

/** Questions about windows inside the baseline of a case; at most `most`, evenly spread. */
export function quietWindows(
  incident: IncidentCase,
  most: number = mostPerBaseline,
): readonly IncidentCase[] {
  const { baseline } = incident
  const length = baseline.toMs - baseline.fromMs
  const asked = Math.min(incident.window.toMs - incident.window.fromMs, length / (1 + minRest))
  const count = Math.max(2, Math.min(most, Math.floor(length / asked)))
  return Array.from({ length: count }, (_, i) => {
    const fromMs = Math.round(baseline.fromMs + (i * (length - asked)) / (count - 1))
    const window = { fromMs, toMs: Math.round(fromMs + asked) }
    const name = `${incident.name}-quiet-${String(i + 1).padStart(2, '0')}`
    return { ...incident, name, window, baseline: longerRest(baseline, window) }
  }).filter(({ baseline: rest, window }) => lengthOf(rest) >= lengthOf(window))
}

function lengthOf({ fromMs, toMs }: Window): number {
  return toMs - fromMs
}

/** A baseline is one range: what lies before the window or what lies behind it. */
function longerRest(baseline: Window, window: Window): Window {
  const before = { fromMs: baseline.fromMs, toMs: window.fromMs }
  const after = { fromMs: window.toMs, toMs: baseline.toMs }
  return lengthOf(before) >= lengthOf(after) ? before : after
}
