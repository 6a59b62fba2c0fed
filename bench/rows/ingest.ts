/** Ingest of spans, logs and points: items per CPU-second, bytes on disk, beside rows in SQLite. */
import { type IngestFigures, type IngestRun, measureIngest } from '../measure/ingest-run.ts'
import { benchProfile } from '../measure/offer.ts'
import { startAcknowledgement, startBytes, startRows, startWhole } from '../measure/subjects.ts'
import { type Figure, judged, type Row, type RowContext, shown } from './row.ts'
import { wholeOnSqlite } from './whole-figures.ts'

function measure(
  context: RowContext,
  name: string,
  run: Omit<IngestRun, 'extent' | 'warmUpSeconds'> & Partial<Pick<IngestRun, 'extent'>>,
) {
  context.progress(name)
  const { seconds, warmUpSeconds } = context
  return measureIngest({ extent: { seconds }, ...run, warmUpSeconds })
}

/**
 * What bytes alone came to on the machine that the goals were set on, spans per CPU-second: transport 1,944,000 and the
 * bytes of a commit as one BLOB 1,174,000, one after the other. A goal is as much harder as a machine is slower at this.
 */
const bytesAlone = 1 / (1 / 1_944_000 + 1 / 1_174_000)

/** The same goal as a share of what the machine can do at most. */
function toBytes(
  id: string,
  what: string,
  figures: IngestFigures,
  bytes: IngestFigures,
  goal: number,
): Figure {
  const ratio = figures.perCpuSecond / bytes.perCpuSecond
  const least = goal / bytesAlone
  return judged(
    {
      id,
      what: `${what}, to C`,
      value: ratio,
      unit: 'times',
      baseline: `C: ${shown(bytes.perCpuSecond)}`,
      ratio,
    },
    { least },
    `at least ${shown(least)}: ${shown(goal)} where C is ${shown(bytesAlone)}`,
  )
}

function perCpu(
  id: string,
  what: string,
  figures: IngestFigures,
  least: number,
  baseline?: { readonly name: string; readonly figures: IngestFigures },
): Figure {
  return judged(
    {
      id,
      what,
      value: figures.perCpuSecond,
      unit: 'per CPU-second',
      ...(baseline === undefined
        ? {}
        : {
            baseline: `${baseline.name}: ${shown(baseline.figures.perCpuSecond)}`,
            ratio: figures.perCpuSecond / baseline.figures.perCpuSecond,
          }),
    },
    { least },
  )
}

/** So many times as much as rows. */
function times(
  id: string,
  what: string,
  figures: IngestFigures,
  to: string,
  rows: IngestFigures,
  least: number,
) {
  const ratio = figures.perCpuSecond / rows.perCpuSecond
  const baseline = `${to}: ${shown(rows.perCpuSecond)}`
  return judged({ id, what: `${what}, to ${to}`, value: ratio, unit: 'times', baseline, ratio }, { least })
}

/**
 * A, B, C and both ways through our server, one after the other, the same number of spans each: rows get slower as their
 * indexes grow, so that equal times would hold a small table against a large store.
 */
export const spans: Row = {
  id: 'spans',
  title: 'Spans over OTLP/HTTP protobuf',
  async run(context) {
    const extent = { items: context.spans }
    const naive = await measure(context, 'A: rows, naive', { start: () => startRows('naive'), extent })
    const rows = await measure(context, 'B: rows, at their best', { start: () => startRows('rows'), extent })
    const bytes = await measure(context, 'C: bytes alone', { start: startBytes, extent })
    const acknowledged = await measure(context, 'to the acknowledgement', {
      start: startAcknowledgement,
      extent,
    })
    const whole = await wholeOnSqlite(context, 'traces')
    const bytesToRows = whole.bytesPerItem / rows.bytesPerItem
    return {
      figures: [
        perCpu('spans.ack', 'spans to the acknowledgement, no engine', acknowledged, 400_000, {
          name: 'B',
          figures: rows,
        }),
        toBytes('spans.ack-to-bytes', 'to the acknowledgement', acknowledged, bytes, 400_000),
        times('spans.ack-to-naive', 'to the acknowledgement', acknowledged, 'A', naive, 15),
        times('spans.ack-to-rows', 'to the acknowledgement', acknowledged, 'B', rows, 6),
        perCpu('spans.whole', 'spans with everything behind it', whole, 200_000, {
          name: 'B',
          figures: rows,
        }),
        toBytes('spans.whole-to-bytes', 'everything behind it', whole, bytes, 200_000),
        times('spans.to-naive', 'everything behind it', whole, 'A', naive, 15),
        times('spans.to-rows', 'everything behind it', whole, 'B', rows, 6),
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
    const bytes = await measure(context, 'C: bytes alone', { start: startBytes, signal: 'logs' })
    const figures = await wholeOnSqlite(context, 'logs')
    return {
      figures: [
        perCpu('logs.whole', 'log records, searchable', figures, 300_000, { name: 'C', figures: bytes }),
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
    const bytes = await measure(context, 'C: bytes alone', { start: startBytes, signal: 'metrics' })
    const figures = await wholeOnSqlite(context, 'metrics')
    const profile = largeBatches
    const start = () => startWhole()
    const large = await measure(context, 'metrics, 1,000 to a request', { start, signal: 'metrics', profile })
    return {
      figures: [
        perCpu('metrics.whole', 'data points', figures, 1_000_000, { name: 'C', figures: bytes }),
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
