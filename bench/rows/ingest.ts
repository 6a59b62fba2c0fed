/** Ingest of spans, logs and points: items per CPU-second, bytes on disk, beside rows in SQLite. */
import { type IngestFigures, type IngestRun, measureIngest } from '../measure/ingest-run.ts'
import { benchProfile } from '../measure/offer.ts'
import { startAcknowledgement, startRows, startWhole } from '../measure/subjects.ts'
import { type Figure, judged, type Row, type RowContext, shown } from './row.ts'

function measure(
  context: RowContext,
  name: string,
  run: Omit<IngestRun, 'extent' | 'warmUpSeconds'> & Partial<Pick<IngestRun, 'extent'>>,
) {
  context.progress(name)
  const { seconds, warmUpSeconds } = context
  return measureIngest({ extent: { seconds }, ...run, warmUpSeconds })
}

function perCpu(
  id: string,
  what: string,
  figures: IngestFigures,
  least: number,
  rows?: IngestFigures,
): Figure {
  return judged(
    {
      id,
      what,
      value: figures.perCpuSecond,
      unit: 'per CPU-second',
      ...(rows === undefined
        ? {}
        : {
            baseline: `B: ${shown(rows.perCpuSecond)}`,
            ratio: figures.perCpuSecond / rows.perCpuSecond,
          }),
    },
    { least },
  )
}

/**
 * A, B and both ways through our server, one after the other, the same number of spans each: rows get slower as their
 * indexes grow, so that equal times would hold a small table against a large store.
 */
export const spans: Row = {
  id: 'spans',
  title: 'Spans over OTLP/HTTP protobuf',
  async run(context) {
    const extent = { items: context.spans }
    const naive = await measure(context, 'A: rows, naive', { start: () => startRows('naive'), extent })
    const rows = await measure(context, 'B: rows, at their best', { start: () => startRows('rows'), extent })
    const acknowledged = await measure(context, 'to the acknowledgement', {
      start: startAcknowledgement,
      extent,
    })
    const whole = await measure(context, 'everything behind it', { start: () => startWhole(), extent })
    const toNaive = whole.perCpuSecond / naive.perCpuSecond
    const toRows = whole.perCpuSecond / rows.perCpuSecond
    const bytesToRows = whole.bytesPerItem / rows.bytesPerItem
    return {
      figures: [
        perCpu('spans.ack', 'spans to the acknowledgement, no engine', acknowledged, 400_000, rows),
        perCpu('spans.whole', 'spans with everything behind it', whole, 200_000, rows),
        judged(
          {
            id: 'spans.rate',
            what: 'spans with everything behind it, load generator on the same cores',
            value: whole.perSecond,
            unit: 'per second',
            baseline: `B: ${shown(rows.perSecond)}`,
            ratio: whole.perSecond / rows.perSecond,
          },
          null,
        ),
        judged(
          {
            id: 'spans.to-naive',
            what: 'throughput to A',
            value: toNaive,
            unit: 'times',
            baseline: `A: ${shown(naive.perCpuSecond)}`,
            ratio: toNaive,
          },
          { least: 15 },
        ),
        judged(
          {
            id: 'spans.to-rows',
            what: 'throughput to B',
            value: toRows,
            unit: 'times',
            baseline: `B: ${shown(rows.perCpuSecond)}`,
            ratio: toRows,
          },
          { least: 6 },
        ),
        judged(
          {
            id: 'spans.bytes',
            what: 'disk, all in',
            value: whole.bytesPerItem,
            unit: 'bytes a span',
            baseline: `B: ${shown(rows.bytesPerItem)}`,
            ratio: bytesToRows,
          },
          { most: 100 },
        ),
        judged(
          {
            id: 'spans.bytes-to-rows',
            what: 'disk to B',
            value: bytesToRows,
            unit: 'times',
            baseline: `B: ${shown(rows.bytesPerItem)}`,
            ratio: bytesToRows,
          },
          { most: 0.2 },
        ),
        judged(
          {
            id: 'spans.memory',
            what: 'resident memory at full ingest',
            value: whole.peakMemoryMb,
            unit: 'MiB',
          },
          { most: 512 },
        ),
      ],
    }
  },
}

export const transports: Row = {
  id: 'transports',
  title: 'Spans over the other transports, to the acknowledgement',
  async run(context) {
    const start = startAcknowledgement
    const grpc = await measure(context, 'gRPC', { start, transport: 'grpc' })
    const gzip = await measure(context, 'gzip', { start, gzip: true })
    const json = await measure(context, 'JSON', { start, transport: 'json' })
    return {
      figures: [
        perCpu('transports.grpc', 'spans over gRPC (grpc-js)', grpc, 200_000),
        perCpu('transports.gzip', 'spans over HTTP, gzip', gzip, 350_000),
        perCpu('transports.json', 'spans over HTTP, JSON', json, 150_000),
      ],
    }
  },
}

export const logs: Row = {
  id: 'logs',
  title: 'Log records, searchable',
  async run(context) {
    const figures = await measure(context, 'logs', { start: () => startWhole(), signal: 'logs' })
    return {
      figures: [
        perCpu('logs.whole', 'log records, searchable', figures, 300_000),
        judged(
          { id: 'logs.bytes', what: 'disk, logs', value: figures.bytesPerItem, unit: 'bytes a record' },
          { most: 100 },
        ),
      ],
    }
  },
}

/** What an SDK exports at once, and a Collector batches more; twenty services with fifty series each make one. */
const largeBatches = { ...benchProfile, batch: 1_000, metricSeries: 50 }

export const metrics: Row = {
  id: 'metrics',
  title: 'Metric points',
  async run(context) {
    const start = () => startWhole()
    const figures = await measure(context, 'metrics', { start, signal: 'metrics' })
    const profile = largeBatches
    const large = await measure(context, 'metrics, 1,000 to a request', { start, signal: 'metrics', profile })
    return {
      figures: [
        perCpu('metrics.whole', 'data points', figures, 1_000_000),
        judged(
          { id: 'metrics.bytes', what: 'disk, metrics', value: figures.bytesPerItem, unit: 'bytes a point' },
          { most: 20 },
        ),
        judged(
          {
            id: 'metrics.large',
            what: 'data points, 1,000 to a request',
            value: large.perCpuSecond,
            unit: 'per CPU-second',
            baseline: `100 to a request: ${shown(figures.perCpuSecond)}`,
            ratio: large.perCpuSecond / figures.perCpuSecond,
          },
          null,
        ),
      ],
    }
  },
}
