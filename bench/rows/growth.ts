/** Do cost a span and memory stay flat as data and services grow? */
import { benchProfile, offer } from '../measure/offer.ts'
import { cpuSecondsOf, peakMemoryOf } from '../measure/process-figures.ts'
import { startWhole } from '../measure/subjects.ts'
import { judged, type Point, type Row, type Scale, shown } from './row.ts'

const sizes: Readonly<Record<Scale, readonly number[]>> = {
  smoke: [20_000, 40_000],
  usual: [250_000, 500_000, 1_000_000, 1_500_000],
  full: [1_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000],
}
const services: Readonly<Record<Scale, readonly number[]>> = {
  smoke: [10, 20],
  usual: [10, 100, 1_000],
  full: [10, 30, 100, 300, 1_000],
}
const spansEach: Readonly<Record<Scale, number>> = { smoke: 20_000, usual: 250_000, full: 2_000_000 }

export const growth: Row = {
  id: 'growth',
  title: 'Growth with stored spans and with services',
  async run(context) {
    const bySize: Point[] = []
    const server = await startWhole()
    try {
      await offer(server, { seconds: context.warmUpSeconds, idSeed: 1 })
      await server.settled()
      let sent = 0
      for (const [step, size] of sizes[context.scale].entries()) {
        context.progress(`${shown(size)} spans`)
        const before = cpuSecondsOf(server.pid)
        const report = await offer(server, { seconds: 7_200, items: size - sent, idSeed: step + 2 })
        await server.settled()
        const cpuUs = ((cpuSecondsOf(server.pid) - before) / report.acknowledged_items) * 1e6
        sent += report.acknowledged_items
        bySize.push({ series: 'CPU, µs a span', x: sent, y: cpuUs })
        bySize.push({ series: 'peak memory, MiB', x: sent, y: peakMemoryOf(server.pid) })
      }
    } finally {
      await server.finish()
    }
    const byServices: Point[] = []
    for (const count of services[context.scale]) {
      context.progress(`${count} services`)
      const one = await startWhole()
      try {
        const profile = { ...benchProfile, services: count, edges: count * 10, batchBy: 'collector' as const }
        const roundItems = Math.max(20_000, count * 30)
        await offer(one, { seconds: context.warmUpSeconds, profile, roundItems, idSeed: 1 })
        await one.settled()
        const before = cpuSecondsOf(one.pid)
        const items = spansEach[context.scale]
        const report = await offer(one, { seconds: 7_200, items, profile, roundItems, idSeed: 2 })
        await one.settled()
        const cpuUs = ((cpuSecondsOf(one.pid) - before) / report.acknowledged_items) * 1e6
        byServices.push({ series: 'CPU, µs a span', x: count, y: cpuUs })
        byServices.push({ series: 'peak memory, MiB', x: count, y: peakMemoryOf(one.pid) })
      } finally {
        await one.finish()
      }
    }
    const rise = (points: readonly Point[]): number => {
      const costs = points.filter(point => point.series.startsWith('CPU')).map(point => point.y)
      return (costs.at(-1) ?? Number.NaN) / (costs[0] ?? Number.NaN)
    }
    return {
      figures: [
        judged(
          {
            id: 'growth.spans',
            what: `CPU a span, from ${shown(sizes[context.scale][0] ?? 0)} to ${shown(sizes[context.scale].at(-1) ?? 0)} spans stored`,
            value: rise(bySize),
            unit: 'times',
          },
          { most: 1.1 },
          'flat: at most 1.1',
        ),
        judged(
          {
            id: 'growth.services',
            what: `CPU a span, from ${services[context.scale][0]} to ${services[context.scale].at(-1)} services, ten edges each`,
            value: rise(byServices),
            unit: 'times',
          },
          { most: 1.5 },
          'flat: at most 1.5',
        ),
      ],
      curves: [
        {
          id: 'growth-spans',
          title: 'Cost with spans stored',
          xTitle: 'spans stored',
          yTitle: '',
          points: bySize,
        },
        {
          id: 'growth-services',
          title: 'Cost with services',
          xTitle: 'services, ten edges each',
          yTitle: '',
          points: byServices,
        },
      ],
    }
  },
}
