/** What is there in the window that was not there before, and the other way round: the changes worth a line. */
import { type ChangeEvent, changeOrder, listChanges } from '../changes.ts'
import { describedChanges } from '../resource-changes.ts'
import type { Evidence } from './evidence.ts'

/** Changes listed at most: versions, instances and restarts first, then edges, operations and templates. */
const maxChanges = 20

/** Most telling kind first, then by count and name. */
export function tellingChanges(evidence: Evidence): readonly ChangeEvent[] {
  const { windowView, baselineView, templates, window, baseline } = evidence
  const views = { window: windowView, baseline: baselineView }
  return [
    ...listChanges(views, { templates: [...templates.values()] }),
    ...describedChanges(window.described, baseline.described),
  ]
    .sort(
      (a, b) =>
        changeOrder(a) - changeOrder(b) ||
        b.count - a.count ||
        (`${a.service}\n${a.name}` < `${b.service}\n${b.name}` ? -1 : 1),
    )
    .slice(0, maxChanges)
}
