/** One subject under full load: warm-up, then items per CPU-second of its process until all is where it stays. */
import { type Offer, offer } from './offer.ts'
import { cpuSecondsOf, peakMemoryOf } from './process-figures.ts'
import type { Subject } from './subjects.ts'

export interface IngestFigures {
  readonly items: number
  readonly perSecond: number
  readonly perCpuSecond: number
  /** Of the database once the subject has ended, over all items sent. */
  readonly bytesPerItem: number
  readonly ackP50Ms: number
  readonly ackP99Ms: number
  readonly peakMemoryMb: number
}

export interface IngestRun extends Omit<Offer, 'seconds'> {
  readonly start: () => Promise<Subject>
  readonly seconds: number
  /** Compiled code, not its compilation, is measured: the optimizing compiler is busy for the first seconds of load. */
  readonly warmUpSeconds: number
}

export async function measureIngest(run: IngestRun): Promise<IngestFigures> {
  const subject = await run.start()
  let figures: Omit<IngestFigures, 'bytesPerItem'> & { readonly stored: number }
  try {
    figures = await loaded(subject, run)
  } catch (error) {
    await subject.finish()
    throw error
  }
  const { stored, ...rest } = figures
  return { ...rest, bytesPerItem: (await subject.finish()) / stored }
}

async function loaded(subject: Subject, run: IngestRun) {
  const warm = await offer(subject, { ...run, seconds: run.warmUpSeconds, idSeed: 1 })
  await subject.settled()
  const cpuSeconds = (): number => cpuSecondsOf(subject.pid) + (subject.helperCpuSeconds?.() ?? 0)
  const before = cpuSeconds()
  const started = performance.now()
  const report = await offer(subject, { ...run, idSeed: 2 })
  const elapsed = (performance.now() - started) / 1_000
  await subject.settled()
  const items = report.acknowledged_items
  return {
    items,
    stored: items + warm.acknowledged_items,
    perSecond: Math.round(items / elapsed),
    perCpuSecond: Math.round(items / (cpuSeconds() - before)),
    ackP50Ms: report.latency.p50_ms ?? 0,
    ackP99Ms: report.latency.p99_ms ?? 0,
    peakMemoryMb: peakMemoryOf(subject.pid),
  }
}
