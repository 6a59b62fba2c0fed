/**
 * What became abnormal when, and when it ended, per service, operation, edge, log template and metric, each
 * against the scatter of its own baseline. The number of series and windows that are looked at raises the
 * bar, and an effect nobody would notice is no anomaly however certain it is.
 */
import type { RollupKind, RollupSeries, RollupView } from '../model/rollup.ts'
import type { TemplateRecord } from '../model/store.ts'
import { type ComparedViews, pairSeries, type SeriesPair, shown, totalOf } from './compared-views.ts'
import { type Episode, episodeThreshold, findEpisodes, mayHoldEpisode } from './shift/change-point.ts'
import { medianOf } from './shift/robust-statistics.ts'
import {
  highestShareScores,
  minBaselineItems,
  minBaselineWindows,
  minExpectedCount,
  type Scores,
  shareScores,
  silenceScores,
  valueScores,
} from './shift/window-scores.ts'

export type AnomalyKind = 'errors' | 'latency' | 'silence' | 'log_template' | 'metric'

export interface Anomaly {
  readonly kind: AnomalyKind
  readonly service: string
  /** What of the service: `service`, `operation`, `edge`, `template` or `metric`. */
  readonly of: RollupKind
  /** Operation, callee, template id or metric name; empty for the service itself. */
  readonly name: string
  /** Metric: its instance and attributes; edge: the connection. */
  readonly detail: string
  /** Key of the rollup series, whose kind `of` is. */
  readonly key: readonly string[]
  readonly direction: 'up' | 'down'
  /**
   * Start of the first abnormal window, milliseconds. Before the window asked about if the baseline ends there and was
   * abnormal by then: the edge of a question is no onset.
   */
  readonly onsetMs: number
  /** End of the last abnormal one; null while it lasts to the end of the view. */
  readonly endMs: number | null
  /** What is usual and what was seen in the episode, in `unit`. */
  readonly baselineValue: number
  readonly value: number
  /** `pct` (of requests, calls or log records), `ms`, `per_s`, or the metric's own unit. */
  readonly unit: string
  /** Evidence over what chance allows among everything that was looked at: 1 is just enough. */
  readonly strength: number
  /** Severity: requests, calls or log records of the episode beyond what is usual; null for a metric, which counts none. */
  readonly affected: number | null
}

export interface AnomalyOptions {
  readonly service?: string
  /** For severity and existence of templates; without them no template is judged. */
  readonly templates?: readonly TemplateRecord[]
  /**
   * The same two ranges added up, with services, operations and edges. Most series are told by their sums that
   * nothing can have happened to them, without their windows being read. Says nothing else than without.
   */
  readonly sums?: ComparedViews
  /** Called between series; may throw. */
  readonly check?: () => void
}

/** Chance that an answer about quiet systems holds a single false episode. */
const falseAlarms = 0.01

/** A template below this severity (WARN) may come and go as it likes. */
const warnSeverity = 13

/** The failed or slow share must rise by as much, in percent. */
const shareEffectPct = 1

/** Failed or slow items an episode must hold. */
const minEpisodeItems = 3

/** Latency: the share above the baseline's 90th percentile is watched, and must at least triple. */
const tailQuantile = 0.9
const tailEffect = 3

/** Share of the window above the baseline's middle that chance or a change of the requests hardly brings about. */
const shiftedShare = 0.75
/** Items of a window from which on its own tail is known well enough for the middle of many such. */
const minTailItems = 4

/** Silence: fewer than this share of what is expected. */
const silenceEffect = 0.1

/** A metric must move by this share of its usual value. */
const metricEffect = 0.2

/**
 * All anomalies of the window, by onset, then service, kind and name. Nothing without a baseline. Throws
 * RangeError when the two views have windows of different width.
 */
export function findAnomalies(views: ComparedViews, options: AnomalyOptions = {}): Anomaly[] {
  const { baseline } = views
  if (baseline === null) return []
  if (baseline.stepSeconds !== views.window.stepSeconds) {
    throw new RangeError(
      `baseline windows of ${baseline.stepSeconds} s cannot be compared with ${views.window.stepSeconds} s`,
    )
  }
  return answerOnce(options, () =>
    new AnomalySearch({ window: views.window, baseline }, options).run().sort(compareAnomalies),
  )
}

interface KnownAnswer {
  readonly baseline: RollupView | null
  readonly about: string
  readonly anomalies: Anomaly[]
}

const knownAnswers = new WeakMap<RollupView, KnownAnswer>()

/** Sums never change without being another view, so the same question about the same ones is answered once. */
function answerOnce({ sums, service, templates }: AnomalyOptions, search: () => Anomaly[]): Anomaly[] {
  if (sums === undefined) return search()
  const about = JSON.stringify([service ?? null, templates?.map(one => [one.id, one.severity]) ?? []])
  const known = knownAnswers.get(sums.window)
  if (known?.baseline === sums.baseline && known.about === about) return [...known.anomalies]
  const anomalies = search()
  knownAnswers.set(sums.window, { baseline: sums.baseline, about, anomalies })
  return [...anomalies]
}

function compareAnomalies(a: Anomaly, b: Anomaly): number {
  if (a.onsetMs !== b.onsetMs) return a.onsetMs - b.onsetMs
  const textOf = (one: Anomaly) => [one.service, one.kind, one.of, one.name, one.detail].join('\u0000')
  return textOf(a) < textOf(b) ? -1 : 1
}

/** Kinds of calls. */
const callKinds = ['service', 'operation', 'edge'] as const

interface Effect {
  readonly baselineValue: number
  readonly value: number
  readonly affected: number | null
}

interface Found {
  readonly kind: AnomalyKind
  readonly key: readonly string[]
  readonly of: RollupKind
  readonly service: string
  readonly name: string
  readonly detail: string
  readonly direction: 'up' | 'down'
  readonly unit: string
}

/** Both are there. */
interface Compared {
  readonly window: RollupView
  readonly baseline: RollupView
}

/** Kinds whose windows need not be read where there are sums. */
type CallKind = 'service' | 'operation' | 'edge'

class AnomalySearch {
  readonly #views: Compared
  /** Of calls: sums where there are any, otherwise the windows themselves. */
  readonly #sums: Compared
  readonly #options: AnomalyOptions
  readonly #threshold: number
  readonly #found: Anomaly[] = []
  /** Services that others call in the baseline. */
  readonly #called: ReadonlySet<string>
  readonly #requests = new Map<RollupView, Map<string, Float64Array | undefined>>()

  constructor(views: Compared, options: AnomalyOptions) {
    this.#views = views
    this.#options = options
    const { window = views.window, baseline = null } = options.sums ?? {}
    this.#sums = baseline === null ? views : { window, baseline }
    const count = (view: RollupView, kinds: readonly RollupKind[]): number =>
      kinds.reduce((sum, kind) => sum + view.series(kind, options.service).length, 0)
    const series = count(this.#sums.window, callKinds) + count(views.window, ['template', 'metric'])
    this.#threshold = episodeThreshold(series * views.window.length, falseAlarms)
    this.#called = new Set(this.#sums.baseline.series('edge', options.service).map(one => one.key[1] ?? ''))
  }

  run(): Anomaly[] {
    for (const kind of callKinds) {
      for (const pair of this.#pairs(kind, this.#sums)) this.#calls(kind, pair)
    }
    this.#templates()
    for (const pair of this.#pairs('metric')) this.#metric(pair)
    return this.#found
  }

  #pairs(kind: RollupKind, views: Compared = this.#views): readonly SeriesPair[] {
    this.#options.check?.()
    return pairSeries(views, kind, this.#options.service)
  }

  /** The windows of a series, from what it is known by. */
  #windowsOf(view: RollupView, series: RollupSeries | null): RollupSeries | null {
    if (series === null || this.#sums === this.#views) return series
    return view.find(series.kind, series.key) ?? null
  }

  #calls(kind: CallKind, pair: SeriesPair): void {
    const { window, baseline } = pair
    if (baseline === null) return
    this.#options.check?.()
    const about = {
      of: kind,
      key: pair.key,
      service: pair.key[0] ?? '',
      name: pair.key[1] ?? '',
      detail: kind === 'edge' ? (pair.key[2] ?? '') : '',
    } as const
    if (window !== null) {
      this.#errors({ ...about, kind: 'errors', direction: 'up', unit: 'pct' }, window, baseline)
      this.#latency({ ...about, kind: 'latency', direction: 'up', unit: 'ms' }, window, baseline)
    }
    if (kind !== 'operation')
      this.#silence({ ...about, kind: 'silence', direction: 'down', unit: 'per_s' }, pair)
  }

  /** Calls are expected as often as the caller has requests; requests only where nobody in the graph calls. */
  #silence(about: Found, pair: SeriesPair): void {
    const { window, baseline } = this.#views
    if (pair.baseline === null || (about.of === 'service' && this.#called.has(about.service))) return
    // A window says something by being empty if enough was expected in it, and several such have to be known.
    if (pair.baseline.total('count') < minBaselineWindows * minExpectedCount) return
    const before = this.#windowsOf(baseline, pair.baseline)
    if (before === null) return
    const exposureIn = (view: RollupView) =>
      (about.of === 'edge' ? this.#requestsOf(view, about.service) : undefined) ??
      new Float64Array(view.length).fill(1)
    const now = {
      count: this.#windowsOf(window, pair.window)?.count ?? new Float64Array(window.length),
      exposure: exposureIn(window),
    }
    const scores = silenceScores(now, { count: before.count, exposure: exposureIn(baseline) })
    this.#episodes(about, scores, episode => {
      const seconds = (episode.to - episode.from) * window.stepSeconds
      const exposure = totalOf(now.exposure.subarray(episode.from, episode.to))
      const expected = ((scores?.baseline ?? 0) * exposure) / seconds
      const seen = totalOf(now.count.subarray(episode.from, episode.to)) / seconds
      const affected = (expected - seen) * seconds
      return seen < expected * silenceEffect ? { baselineValue: expected, value: seen, affected } : null
    })
  }

  #requestsOf(view: RollupView, service: string): Float64Array | undefined {
    const known = this.#requests.get(view) ?? new Map<string, Float64Array | undefined>()
    this.#requests.set(view, known)
    if (!known.has(service)) known.set(service, view.find('service', [service])?.count)
    return known.get(service)
  }

  #errors(about: Found, window: RollupSeries, baseline: RollupSeries): void {
    if (window.total('errors') < minEpisodeItems) return
    const seen = this.#windowsOf(this.#views.window, window)
    if (seen === null) return
    const now = { part: seen.errors, whole: seen.count }
    if (this.#isQuiet(now, baseline, baseline.total('errors'))) return
    const before = this.#windowsOf(this.#views.baseline, baseline)
    if (before === null) return
    const scores = shareScores(now, { part: before.errors, whole: before.count })
    this.#episodes(about, scores, episode => shareEffect(now, episode, scores?.baseline ?? 0))
  }

  #latency(about: Found, window: RollupSeries, baseline: RollupSeries): void {
    const limit = this.#usualTail(window, baseline)
    if (!(limit > 0)) return
    if (window.countAbove(limit) < minEpisodeItems || baseline.total('count') < minBaselineItems) return
    const seen = this.#windowsOf(this.#views.window, window)
    if (seen === null) return
    const now = { part: countsAbove(seen, limit), whole: seen.count }
    if (this.#isQuiet(now, baseline, baseline.countAbove(limit))) return
    const before = this.#windowsOf(this.#views.baseline, baseline)
    if (before === null) return
    const scores = shareScores(now, { part: countsAbove(before, limit), whole: before.count })
    const usualShare = Math.min(scores?.baseline ?? 0, 1 - tailQuantile)
    this.#episodes(about, scores, episode => {
      const effect = shareEffect(now, episode, usualShare)
      if (effect === null || effect.value < effect.baselineValue * tailEffect) return null
      const value = seen.quantile(tailQuantile, episode.from, episode.to)
      return value > limit * (1 + metricEffect) ? { ...effect, baselineValue: limit, value } : null
    })
  }

  /**
   * The latency that one in ten exceeds. A baseline that ends in the very slowness asked about has that in its tail:
   * where most of the window is slower than the middle of the baseline, the usual window tells, and not all together.
   * It does so too where a history is compared with itself, incidents and all.
   */
  #usualTail(window: RollupSeries, baseline: RollupSeries): number {
    const tail = baseline.quantile(tailQuantile)
    const itself = this.#views.window === this.#views.baseline
    const slower = window.countAbove(baseline.quantile(0.5))
    if (!itself && slower < shiftedShare * window.total('count')) return tail
    const windows = this.#windowsOf(this.#views.baseline, baseline)
    if (windows === null) return tail
    const tails: number[] = []
    for (let i = 0; i < windows.count.length; i++) {
      if ((windows.count[i] ?? 0) >= minTailItems) tails.push(windows.quantile(tailQuantile, i, i + 1))
    }
    return tails.length < minBaselineWindows ? tail : Math.min(tail, medianOf(tails))
  }

  /** Whether no baseline with these sums leaves room for an episode; its windows need not be read then. */
  #isQuiet(
    now: { readonly part: Float64Array; readonly whole: Float64Array },
    baseline: RollupSeries,
    part: number,
  ): boolean {
    const whole = baseline.total('count')
    if (baseline.onlyAdded !== true || !(whole > 0)) return false
    return !mayHoldEpisode(highestShareScores(now, part / whole), this.#threshold)
  }

  /** Share of a service's log records that a warning or error template has; more traffic does not change it. */
  #templates(): void {
    const severities = new Map(this.#options.templates?.map(one => [one.id, one.severity]))
    const window = recordCounts(this.#views.window, this.#options.service)
    const baseline = recordCounts(this.#views.baseline, this.#options.service)
    for (const pair of this.#pairs('template')) {
      const [service = '', id = ''] = pair.key
      if (pair.window === null || (severities.get(id) ?? 0) < warnSeverity) continue
      const now = { part: pair.window.count, whole: window.get(service) ?? new Float64Array(0) }
      const before = baseline.get(service) ?? new Float64Array(0)
      const part = pair.baseline?.count ?? new Float64Array(before.length)
      const scores = shareScores(now, { part, whole: before })
      const about = { of: 'template', key: pair.key, service, name: id, detail: '', unit: 'pct' } as const
      this.#episodes({ ...about, kind: 'log_template', direction: 'up' }, scores, episode =>
        shareEffect(now, episode, scores?.baseline ?? 0),
      )
    }
  }

  #metric(pair: SeriesPair): void {
    const [service = '', name = '', instance = '', attributes = '', unit = '', type = ''] = pair.key
    if (pair.window === null || pair.baseline === null) return
    // A counter grows with the traffic; what it counts is judged where it is an error, an edge or a request.
    if (type === 'sum') return
    this.#options.check?.()
    const now = means(pair.window)
    const before = means(pair.baseline)
    const detail = [instance, attributes].filter(text => text !== '').join(' ')
    for (const sign of [1, -1] as const) {
      const scores = valueScores(now, before, sign)
      const usual = scores?.baseline ?? 0
      const direction = sign === 1 ? 'up' : 'down'
      this.#episodes(
        { kind: 'metric', of: 'metric', key: pair.key, service, name, detail, direction, unit },
        scores,
        episode => {
          const seen = meanOf(now.subarray(episode.from, episode.to))
          const moved = Math.abs(seen - usual) > metricEffect * Math.abs(usual)
          return moved ? { baselineValue: usual, value: seen, affected: null } : null
        },
      )
    }
  }

  #episodes(about: Found, scores: Scores | null, effectOf: (episode: Episode) => Effect | null): void {
    if (scores === null) return
    const { fromMs, stepSeconds } = this.#views.window
    for (const episode of findEpisodes(scores.values, this.#threshold)) {
      const effect = effectOf(episode)
      if (effect === null) continue
      this.#found.push({
        ...about,
        name: about.of === 'service' ? '' : about.name,
        onsetMs: this.#begunBefore(scores, episode) ?? fromMs + episode.from * stepSeconds * 1000,
        endMs: episode.open ? null : fromMs + episode.to * stepSeconds * 1000,
        baselineValue: shown(effect.baselineValue) ?? 0,
        value: shown(effect.value) ?? 0,
        strength: episode.strength,
        affected: effect.affected === null ? null : Math.round(effect.affected),
      })
    }
  }

  /** When an episode began that is there from the first window on; null if it did so in the window. */
  #begunBefore({ values, before }: Scores, episode: Episode): number | null {
    const { window, baseline } = this.#views
    if (episode.from > 0 || baseline.toMs !== window.fromMs || before.length !== baseline.length) return null
    const joined = new Float64Array(before.length + values.length)
    joined.set(before)
    joined.set(values, before.length)
    const across = findEpisodes(joined, this.#threshold).find(one => one.to > before.length)
    if (across === undefined || across.from >= before.length) return null
    return baseline.fromMs + across.from * baseline.stepSeconds * 1000
  }
}

/** The share within the episode and in the baseline, in percent; null if it did not rise by enough. */
function shareEffect(
  now: { readonly part: Float64Array; readonly whole: Float64Array },
  episode: Episode,
  baselineShare: number,
): Effect | null {
  const part = totalOf(now.part.subarray(episode.from, episode.to))
  const whole = totalOf(now.whole.subarray(episode.from, episode.to))
  const value = whole > 0 ? (100 * part) / whole : 0
  const baselineValue = 100 * baselineShare
  const affected = part - baselineShare * whole
  return part >= minEpisodeItems && value - baselineValue >= shareEffectPct
    ? { baselineValue, value, affected }
    : null
}

function countsAbove(series: RollupSeries, ms: number): Float64Array {
  return series.count.map((count, i) => (count > 0 ? series.countAbove(ms, i, i + 1) : 0))
}

/** Mean value of every window, NaN where there was no point. */
function means(series: RollupSeries): Float64Array {
  return series.sum.map((sum, i) => ((series.count[i] ?? 0) > 0 ? sum / (series.count[i] ?? 1) : Number.NaN))
}

function meanOf(values: Float64Array): number {
  const given = values.filter(value => !Number.isNaN(value))
  return given.length === 0 ? Number.NaN : totalOf(given) / given.length
}

/** Log records of every service per window. */
function recordCounts(view: RollupView, only: string | undefined): Map<string, Float64Array> {
  const counts = new Map<string, Float64Array>()
  for (const series of view.series('severity', only)) {
    const service = series.key[0] ?? ''
    const sum = counts.get(service) ?? new Float64Array(view.length)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (series.count[i] ?? 0)
    counts.set(service, sum)
  }
  return counts
}
