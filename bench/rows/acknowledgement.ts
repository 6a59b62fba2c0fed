/** How long an acknowledgement takes, beside how long the disk takes, and what overload costs in memory. */
import { offer } from '../measure/offer.ts'
import { peakMemoryOf } from '../measure/process-figures.ts'
import { type Subject, startWhole } from '../measure/subjects.ts'
import { startSyncProbe } from '../measure/sync-probe.ts'
import { judged, type Row, type RowContext, shown } from './row.ts'

/** Spans a second the server takes, after a warm-up. */
async function limitOf(context: RowContext, server: Subject): Promise<number> {
  await offer(server, { seconds: context.warmUpSeconds, idSeed: 1 })
  const report = await offer(server, { seconds: Math.max(1, context.seconds / 2), idSeed: 2 })
  await server.settled()
  return report.acknowledged_per_s
}

export const latency: Row = {
  id: 'latency',
  title: 'Acknowledgement latency',
  async run(context) {
    const server = await startWhole()
    try {
      context.progress('the limit')
      const limit = await limitOf(context, server)
      context.progress('a tenth of it, open loop')
      const calmProbe = startSyncProbe()
      const calm = await offer(server, { rate: limit / 10, seconds: context.seconds, idSeed: 3 })
      const calmSync = await calmProbe.finish(0.99)
      await server.settled()
      context.progress('saturated')
      const fullProbe = startSyncProbe()
      const full = await offer(server, { seconds: context.seconds, idSeed: 4 })
      const fullSync = await fullProbe.finish(0.99)
      return {
        figures: [
          judged(
            {
              id: 'latency.tenth',
              what: `ack p99 at a tenth of the limit (${shown(limit / 10)} spans/s), from when it was due`,
              value: calm.latency.p99_ms ?? Number.NaN,
              unit: 'ms',
              baseline: `fdatasync p99: ${shown(calmSync)} ms`,
            },
            { most: 3 * calmSync + 5 },
            `3 x fdatasync + 5: ${shown(3 * calmSync + 5)}`,
          ),
          judged(
            {
              id: 'latency.saturated',
              what: 'ack p99 saturated, eight connections',
              value: full.latency.p99_ms ?? Number.NaN,
              unit: 'ms',
              baseline: `fdatasync p99: ${shown(fullSync)} ms`,
            },
            { most: 3 * fullSync + 40 },
            `3 x fdatasync + 40: ${shown(3 * fullSync + 40)}`,
          ),
        ],
      }
    } finally {
      await server.finish()
    }
  },
}

/** Ten minutes in full, else a few times the usual run. */
const overloadSeconds = { smoke: 2, usual: 20, full: 600 } as const

export const overload: Row = {
  id: 'overload',
  title: 'Ten times the load',
  async run(context) {
    const server = await startWhole()
    try {
      const limit = await limitOf(context, server)
      context.progress('ten times the limit, 200 connections')
      const report = await offer(server, {
        seconds: overloadSeconds[context.scale],
        rate: limit * 10,
        connections: 200,
        idSeed: 3,
      })
      const useful = report.acknowledged_per_s / limit
      return {
        figures: [
          judged(
            {
              id: 'overload.memory',
              what: `resident memory, ten times the limit for ${overloadSeconds[context.scale]} s`,
              value: peakMemoryOf(server.pid),
              unit: 'MiB',
            },
            { most: 512 },
          ),
          judged(
            {
              id: 'overload.useful',
              what: 'acknowledged under it',
              value: Math.round(useful * 100),
              unit: '% of the limit',
              baseline: `limit: ${shown(limit)} spans/s`,
              ratio: useful,
            },
            { least: 80 },
          ),
        ],
      }
    } finally {
      await server.finish()
    }
  },
}
