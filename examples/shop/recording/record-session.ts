/** Plays one session: a healthy while, then one case after the other, each in a folder of its own. */
import { journeysPerSecond } from '../orchestration/scenarios.ts'
import { type Shop, startShop } from '../orchestration/shop.ts'
import { pause } from '../runtime/pause.ts'
import {
  freeBaselineName,
  isRecorded,
  type RecordedLines,
  type RecordedWindow,
  writeBaseline,
  writeCase,
} from './case-folder.ts'
import { type StallWatch, watchStalls } from './machine-stalls.ts'
import { startOtlpReceiver } from './otlp-receiver.ts'
import type { PlannedCase, PlannedSession } from './plan-recording.ts'
import { inStyle } from './telemetry-style.ts'

export interface SessionOptions {
  readonly directory: string
  readonly session: PlannedSession
  readonly timing: RecordingTiming
  /** Windows with more than this share of stalls are not kept. */
  readonly maxStalls: number
  readonly say: (line: string) => void
  /** Stops between two cases. */
  readonly signal: AbortSignal
  /** Lets one shop start at a time: many at once would all be late. */
  readonly oneByOne: <T>(start: () => Promise<T>) => Promise<T>
}

/** Seconds. */
export interface RecordingTiming {
  readonly baselineSeconds: number
  readonly caseSeconds: number
}

/** A recording runs at low priority beside other work; nobody waits for it. */
const readyLimitMs = 120_000
/** What shoppers make the shop do first is start-up, and no baseline. */
const warmUpMs = 7_000
/** Exporters send every second or two: after so long what happened in a window has arrived. */
const flushMs = 2_600
/** Requests that met a trouble are over, and what queued up behind it is gone. */
const settleMs = 5_000

interface Stage {
  readonly shop: Shop
  readonly stalls: StallWatch
  /** What arrived since the last call. */
  readonly take: () => RecordedLines
}

/** Resolves to how many cases were kept. Cases that are recorded already are left out. */
export async function recordSession(options: SessionOptions): Promise<number> {
  const { session, directory } = options
  const open = session.cases.filter(plan => !isRecorded(directory, plan))
  if (open.length === 0) return 0
  let lines = noLines()
  const receiver = await startOtlpReceiver((signal, line) => {
    const styled = inStyle(session.style, signal, line)
    if (styled !== '') lines[signal].push(styled)
  })
  const stalls = watchStalls()
  let shop: Shop | undefined
  try {
    const starting = {
      endpoint: { grpcUrl: receiver.url, httpUrl: receiver.url },
      protocol: 'http/json' as const,
      seed: session.seed,
      samplingThreshold: session.style.samplingThreshold,
      silent: session.style.silent,
      signal: options.signal,
      readyLimitMs,
    }
    shop = await options.oneByOne(() => startShop(starting))
    const take = (): RecordedLines => {
      const taken = lines
      lines = noLines()
      return taken
    }
    return await playSession({ shop, stalls, take }, open, options)
  } finally {
    stalls.stop()
    await shop?.stop()
    await receiver.stop()
  }
}

function noLines(): Record<'traces' | 'logs' | 'metrics', string[]> {
  return { traces: [], logs: [], metrics: [] }
}

async function playSession(
  stage: Stage,
  open: readonly PlannedCase[],
  options: SessionOptions,
): Promise<number> {
  const { directory, session, timing, say } = options
  stage.shop.setPace(journeysPerSecond)
  await pause(warmUpMs)
  const healthy = await during(stage, timing.baselineSeconds)
  say(`${session.name}: baseline, ${percent(healthy.stalls)} stalled`)
  if (healthy.stalls > options.maxStalls) return 0
  const baselineName = freeBaselineName(directory, session)
  writeBaseline(directory, baselineName, healthy.lines)
  let kept = 0
  for (const plan of open) {
    if (options.signal.aborted) break
    const { window, lines, stalls } = await duringCase(stage, plan, timing.caseSeconds)
    const keep = stalls <= options.maxStalls
    say(`${session.name}: ${plan.name}, ${percent(stalls)} stalled${keep ? '' : ', not kept'}`)
    if (!keep) continue
    kept++
    writeCase(directory, {
      plan,
      style: session.style,
      window,
      baseline: healthy.window,
      baselineName,
      lines,
      stalls,
    })
  }
  return kept
}

interface Heard {
  readonly window: RecordedWindow
  readonly lines: RecordedLines
  readonly stalls: number
}

async function duringCase(stage: Stage, plan: PlannedCase, lengthSeconds: number): Promise<Heard> {
  // Begins within the window, as a fault does whose first sign is the alarm.
  const beginning: { done: Promise<void> } = { done: Promise.resolve() }
  const heard = await during(stage, lengthSeconds, () => {
    beginning.done = plan.begin(stage.shop)
  })
  await beginning.done
  await plan.end(stage.shop)
  await pause(settleMs)
  return heard
}

async function during(stage: Stage, lengthSeconds: number, begin?: () => void): Promise<Heard> {
  stage.take()
  stage.stalls.take()
  const before = stage.shop.figures().requests
  const fromMs = Date.now()
  begin?.()
  await pause(lengthSeconds * 1000)
  const toMs = Date.now()
  const starved = stage.shop.figures().requests - before < usualRequests(lengthSeconds) * leastTraffic
  const stalls = Math.max(stage.stalls.take(), starved ? 1 : 0)
  await pause(flushMs)
  return { window: { fromMs, toMs }, lines: stage.take(), stalls }
}

/** Shoppers that got no processor time made no requests: nothing can be learnt from such a window. */
const leastTraffic = 0.2

/** A journey is about six requests. */
function usualRequests(lengthSeconds: number): number {
  return lengthSeconds * journeysPerSecond * 6
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
