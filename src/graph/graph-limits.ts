/** How much the graph of one tenant may hold. What does not fit is counted under `_overflow`, never dropped. */
export interface GraphLimits {
  /** Distinct services; a company of two thousand services is among the largest known. */
  readonly services: number
  /** Span names per service: beyond it somebody puts ids into span names. */
  readonly operationsPerService: number
  readonly operations: number
  readonly edges: number
  readonly instances: number
  /** Distinct texts (span and peer names) known by number. */
  readonly names: number
  readonly metricSeries: number
  readonly templatesPerService: number
  readonly templates: number
  /** Spans that may still meet a parent or child, about 110 bytes each. */
  readonly joinSpans: number
  /** Cells counted before they are encoded on their own account, about 100 bytes each. */
  readonly openCells: number
}

export const defaultGraphLimits: GraphLimits = {
  services: 2_000,
  operationsPerService: 1_000,
  operations: 20_000,
  edges: 20_000,
  instances: 10_000,
  names: 50_000,
  metricSeries: 20_000,
  templatesPerService: 1_000,
  templates: 10_000,
  joinSpans: 262_144,
  openCells: 200_000,
}

/** Stands for everything that came after a limit was reached. */
export const overflowName = '_overflow'

/** How often each limit folded something into `_overflow`. */
export type FoldedCounts = Record<
  'services' | 'operations' | 'edges' | 'instances' | 'names' | 'metricSeries' | 'templates',
  number
>

export function noFolds(): FoldedCounts {
  return { services: 0, operations: 0, edges: 0, instances: 0, names: 0, metricSeries: 0, templates: 0 }
}
