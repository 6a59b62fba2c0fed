/**
 * What comes at this time of day on other days too is how the system is used. Services that were as slow then, and
 * resources that were as busy, are suspects to that part less.
 */
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import type { RollupSeries, RollupView } from '../../model/rollup.ts'
import type { TimeRange } from '../../model/time.ts'
import { dayMs, farthest, minDays, otherDaysBefore, slackMs } from '../rhythm.ts'
import { metricSeries } from './metric-series.ts'
import { hostOf } from './peer-hosts.ts'
import { median } from './robust.ts'
import { stepFor } from './windows.ts'

/** The part of a deviation that other days do not show, 0 to 1. */
export interface Habits {
  slowness(service: string): number
  resource(service: string, metric: string): number
}

export const noHabits: Habits = { slowness: () => 1, resource: () => 1 }

/** Half of the rise on other days says nothing yet, all of it explains everything. */
const leastPart = 0.5
const tailQuantile = 0.9

interface Question {
  readonly reader: TelemetryReader
  readonly window: TimeRange
  readonly baseline: TimeRange
  readonly deadline: Deadline
}

interface Day {
  readonly byMs: number
  readonly window: RollupView
  readonly baseline: RollupView
}

/** Reads nothing where history does not reach back two days. Throws what the reader or the deadline throws. */
export async function learnHabits(question: Question): Promise<Habits> {
  const { reader, window, baseline, deadline } = question
  const { oldestMs } = await reader.coverage(window)
  if (oldestMs === null || oldestMs > baseline.fromMs - minDays * dayMs) return noHabits
  const today = await dayOf(question, 0)
  const days: Day[] = []
  for (const daysBefore of otherDaysBefore) {
    days.push(await dayOf(question, daysBefore))
    deadline.check()
  }
  return new DailyHabits(question, today, days)
}

async function dayOf({ reader, window, baseline }: Question, daysBefore: number): Promise<Day> {
  const byMs = daysBefore * dayMs
  const wide = { fromMs: window.fromMs - byMs - slackMs, toMs: window.toMs - byMs + slackMs }
  const before = { fromMs: baseline.fromMs - byMs - slackMs, toMs: baseline.toMs - byMs }
  return {
    byMs,
    window: await reader.rollups(wide, stepFor(wide)),
    baseline: await reader.rollups(before, stepFor(before)),
  }
}

/** A level of one view between two times; null if nothing is known. */
type Level = (view: RollupView, range: TimeRange) => number | null

class DailyHabits implements Habits {
  readonly #question: Question
  readonly #today: Day
  readonly #days: readonly Day[]
  /** One entry per service asked about, for the time of one question. */
  readonly #slowness = new Map<string, number>()
  readonly #metrics = new Map<RollupView, ReturnType<typeof metricSeries>>()

  constructor(question: Question, today: Day, days: readonly Day[]) {
    this.#question = question
    this.#today = today
    this.#days = days
  }

  slowness(service: string): number {
    const known = this.#slowness.get(service)
    if (known !== undefined) return known
    const part = this.#unusualPart((view, range) => tailOf(seriesAbout(view, service), view, range))
    this.#slowness.set(service, part)
    return part
  }

  resource(service: string, metric: string): number {
    return this.#unusualPart((view, { fromMs, toMs }) => {
      const series = this.#metrics.get(view) ?? metricSeries(view)
      this.#metrics.set(view, series)
      const values: number[] = []
      for (const one of series.values()) {
        if (one.id.service !== service || one.id.metric !== metric) continue
        values.push(...one.values.filter((_, i) => isWithin(one.timesMs[i] ?? 0, fromMs, toMs)))
      }
      return values.length === 0 ? null : median(values)
    })
  }

  #unusualPart(level: Level): number {
    const rise = this.#riseOn(this.#today, level, 0)
    if (rise === null || rise <= 0) return 1
    const others = this.#days.map(day => this.#riseOn(day, level, slackMs) ?? 0).sort((a, b) => b - a)
    const usual = (others[minDays - 1] ?? 0) / rise
    return Math.min(1, Math.max(0, (1 - usual) / (1 - leastPart)))
  }

  #riseOn({ byMs, window, baseline }: Day, level: Level, slack: number): number | null {
    const now = farthest(1, [-slack, slack], at => level(window, moved(this.#question.window, at - byMs)))
    const usual = farthest(-1, [-slack, 0], at => level(baseline, moved(this.#question.baseline, at - byMs)))
    return now === null || usual === null ? null : now - usual
  }
}

function moved({ fromMs, toMs }: TimeRange, byMs: number): TimeRange {
  return { fromMs: fromMs + byMs, toMs: toMs + byMs }
}

function isWithin(ms: number, fromMs: number, toMs: number): boolean {
  return ms >= fromMs && ms < toMs
}

/**
 * Requests of a service, or else the calls to what sends no telemetry: those that most calls go by. A host stands for
 * all of its ports, which are others every day.
 */
function seriesAbout(view: RollupView, service: string): RollupSeries | undefined {
  const own = view.find('service', [service])
  if (own !== undefined) return own
  const named = view.series('edge', service).filter(edge => edge.key[1] === service)
  const calls =
    named.length > 0 ? named : view.series('edge').filter(edge => hostOf(edge.key[1] ?? '') === service)
  return calls.sort((a, b) => b.total('count') - a.total('count'))[0]
}

function tailOf(
  series: RollupSeries | undefined,
  view: RollupView,
  { fromMs, toMs }: TimeRange,
): number | null {
  const stepMs = view.stepSeconds * 1000
  const from = Math.max(0, Math.floor((fromMs - view.fromMs) / stepMs))
  const to = Math.min(view.length, Math.ceil((toMs - view.fromMs) / stepMs))
  const tail = series === undefined || to <= from ? Number.NaN : series.quantile(tailQuantile, from, to)
  return Number.isNaN(tail) ? null : tail
}
