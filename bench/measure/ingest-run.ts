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

export interface IngestRun extends Omit<Offer, 'seconds' | 'items'> {
  readonly start: () => Promise<Subject>
  /** How much is measured. A number of items makes subjects equal whose indexes grow with what they hold. */
  readonly extent: { readonly seconds: number } | { readonly items: number }
  /** Compiled code, not its compilation, is measured: the optimizing compiler is busy for the first seconds of load. */
  readonly warmUpSeconds: number
}

/** Exporters of a small system. Every subject gets as many; who gathers requests into one commit gains from them. */
const ingestConnections = 32

/** For a number of items: far more than the slowest takes. */
const patienceSeconds = 3_600

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
  const shared = { connections: ingestConnections, ...run }
  const warm = await offer(subject, { ...shared, seconds: run.warmUpSeconds, idSeed: 1 })
  await subject.settled()
  const cpuSeconds = (): number => cpuSecondsOf(subject.pid) + (subject.helperCpuSeconds?.() ?? 0)
  const before = cpuSeconds()
  const started = performance.now()
  const report = await offer(subject, { ...shared, seconds: patienceSeconds, ...run.extent, idSeed: 2 })
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
