/** Sums over time in two steps: chunks of a few minutes, which are kept, and ranges of them, which move. */
import type { RollupKind, RollupView } from '../../model/rollup.ts'
import type { RollupRecord } from '../../model/store.ts'
import { collapseSections } from './collapsed-cells.ts'
import type { DecodedKind } from './decode.ts'
import { openOnce } from './rollup-view.ts'
import { kindNumber, kindShapes } from './series-keys.ts'
import { readSeries, type SourceSection, type ViewWindows } from './view-series.ts'

/** The cells of one kind in windows of `stepSeconds`, each series added up into one cell. */
export function totalSection(
  kind: RollupKind,
  records: readonly RollupRecord[],
  stepSeconds: number,
  windows: ViewWindows,
): DecodedKind {
  const number = kindNumber(kind)
  const sections = records.flatMap((record): SourceSection[] => {
    const block = openOnce(record)
    const cells = block.section(number)
    return cells === undefined ? [] : [{ cells, factor: stepSeconds / block.stepSeconds }]
  })
  return collapse(kind, sections, windows)
}

/** Sums of sums: sections that `totalSection` or `addSections` made. */
export function addSections(kind: RollupKind, sections: readonly DecodedKind[]): DecodedKind {
  const [only] = sections
  if (only !== undefined && sections.length === 1) return only
  return collapse(
    kind,
    sections.map(cells => ({ cells, factor: 1 })),
    { first: 0, length: 1 },
  )
}

function collapse(kind: RollupKind, sections: readonly SourceSection[], windows: ViewWindows): DecodedKind {
  const shape = kindShapes[kindNumber(kind)]
  if (shape === undefined) throw new RangeError(`there is no kind ${kind}`)
  return collapseSections(shape, sections, windows)
}

/** A view of one window over `seconds`, from sections that `addSections` made. */
export function totalView(
  range: { readonly fromMs: number; readonly toMs: number },
  sections: ReadonlyMap<RollupKind, DecodedKind>,
): RollupView {
  const kinds = new Map(
    [...sections].map(([kind, cells]) => {
      const shape = kindShapes[kindNumber(kind)]
      const windows = { first: 0, length: 1 }
      return [kind, shape === undefined ? [] : readSeries(shape, [{ cells, factor: 1 }], windows)] as const
    }),
  )
  return {
    ...range,
    stepSeconds: (range.toMs - range.fromMs) / 1000,
    length: 1,
    series: (kind, service) => {
      const all = kinds.get(kind)
      if (all === undefined) throw new RangeError(`${kind} was not among the kinds added up`)
      if (service === undefined) return all
      return all.filter(one => one.key[0] === service || (kind === 'edge' && one.key[1] === service))
    },
  }
}
