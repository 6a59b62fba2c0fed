/**
 * The same incidents against the fault-free time of another case of their system, hours or a day away: what is normal
 * was learned at another time of day and under another load. And those fault-free times against each other.
 */
import type { IncidentCase, Window } from './cases.ts'
import { chanceOf } from './perturbations.ts'
import { distinctBaselines } from './quiet-windows.ts'

export interface Borrowing {
  /** Asks about its own window, with the other one's baseline. */
  readonly asked: IncidentCase
  readonly lender: IncidentCase
}

/** Each case with up to `most` others of its dataset that have another baseline; which ones is chance, but the same every time. */
export function borrowedBaselines(cases: readonly IncidentCase[], most: number): readonly Borrowing[] {
  const lenders = distinctBaselines(cases)
  return cases.flatMap(one =>
    lendersOf(one, lenders)
      .slice(0, most)
      .map(lender => ({ asked: { ...one, baseline: lender.baseline }, lender })),
  )
}

/** The end of each fault-free time, as long as a window, with up to `most` other fault-free times as its baseline. */
export function borrowedQuietWindows(cases: readonly IncidentCase[], most: number): readonly Borrowing[] {
  const lenders = distinctBaselines(cases)
  return lenders.flatMap(one =>
    lendersOf(one, lenders)
      .slice(0, most)
      .map((lender, i) => ({
        asked: {
          ...one,
          name: `${one.name}-quiet-borrowed-${i + 1}`,
          window: endOf(one.baseline, one.window),
          baseline: lender.baseline,
        },
        lender,
      })),
  )
}

function endOf(baseline: Window, { fromMs, toMs }: Window): Window {
  return { fromMs: Math.max(baseline.fromMs, baseline.toMs - (toMs - fromMs)), toMs: baseline.toMs }
}

function lendersOf(one: IncidentCase, lenders: readonly IncidentCase[]): readonly IncidentCase[] {
  const chance = (lender: IncidentCase) => chanceOf(`${one.name} ${lender.name}`)
  return lenders
    .filter(({ dataset, baseline, service }) => {
      const apart = baseline.toMs <= one.baseline.fromMs || baseline.fromMs >= one.baseline.toMs
      return dataset === one.dataset && apart && service === one.service
    })
    .sort((a, b) => chance(a) - chance(b))
}
