/** A row of the goals: measures something, with its baseline in the same run, and says what was reached. */

export interface Figure {
  /** Names it in charts and in the state file; the same in every run. */
  readonly id: string
  /** What was measured, for a person. */
  readonly what: string
  readonly value: number
  readonly unit: string
  /** What it is held against, measured in the same run; empty without one. */
  readonly baseline: string
  /** To that baseline; null without one. */
  readonly ratio: number | null
  /** Empty where it is only told. */
  readonly goal: string
  /** Null where there is no goal. */
  readonly reached: boolean | null
}

export interface Point {
  readonly series: string
  readonly x: number
  readonly y: number
}

/** A curve over sizes. */
export interface Curve {
  readonly id: string
  readonly title: string
  readonly xTitle: string
  readonly yTitle: string
  readonly points: readonly Point[]
}

export interface RowResult {
  readonly figures: readonly Figure[]
  readonly curves?: readonly Curve[]
}

export type Scale = 'smoke' | 'usual' | 'full'

export interface RowContext {
  readonly scale: Scale
  /** Of each ingest run that has no fixed number of items, after its warm-up. */
  readonly seconds: number
  /** That every subject of the row of spans takes after its warm-up. */
  readonly spans: number
  readonly warmUpSeconds: number
  /** Stored data is kept below it. */
  readonly dataRoot: string
  progress(text: string): void
}

export interface Row {
  /** For `--only`. */
  readonly id: string
  readonly title: string
  /** All without it; a row may take too long for a usual run. */
  readonly scales?: readonly Scale[]
  run(context: RowContext): Promise<RowResult>
}

/** A figure with a goal at which it must be at least (`least`) or at most. */
export function judged(
  figure: Omit<Figure, 'reached' | 'goal' | 'baseline' | 'ratio'> &
    Partial<Pick<Figure, 'baseline' | 'ratio'>>,
  goal: { readonly least: number } | { readonly most: number } | null,
  goalText?: string,
): Figure {
  const reached =
    goal === null ? null : 'least' in goal ? figure.value >= goal.least : figure.value <= goal.most
  const text =
    goal === null ? '' : 'least' in goal ? `at least ${shown(goal.least)}` : `at most ${shown(goal.most)}`
  return { baseline: '', ratio: null, ...figure, goal: goalText ?? text, reached }
}

/** Thousands apart, three digits below a hundred. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}
