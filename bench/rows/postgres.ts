/** Ingest with Postgres as the store beside SQLite, the CPU of the database server counted with ours. */
import { type IngestFigures, measureIngest } from '../measure/ingest-run.ts'
import { startOnPostgres } from '../measure/subjects.ts'
import { type Figure, judged, type Row, type RowContext, shown } from './row.ts'
import { extentOf, wholeOnSqlite } from './whole-figures.ts'

type Measured = 'traces' | 'logs' | 'metrics'

const items: Readonly<Record<Measured, string>> = {
  traces: 'spans',
  logs: 'log records',
  metrics: 'data points',
}

async function compare(context: RowContext, signal: Measured): Promise<readonly Figure[]> {
  const sqlite = await wholeOnSqlite(context, signal)
  context.progress(`${items[signal]} on Postgres`)
  const { warmUpSeconds } = context
  const extent = extentOf(context, signal)
  const postgres = await measureIngest({ start: startOnPostgres, signal, extent, warmUpSeconds })
  const figure = (id: string, what: string, unit: string, pick: (figures: IngestFigures) => number) => ({
    id: `postgres.${signal}${id}`,
    what: `${items[signal]} on Postgres, ${what}`,
    value: pick(postgres),
    unit,
    baseline: `SQLite: ${shown(pick(sqlite))}`,
    ratio: pick(postgres) / pick(sqlite),
  })
  const rate = figure('', 'its server counted', 'per CPU-second', figures => figures.perCpuSecond)
  const id = `postgres.${signal}.to-sqlite`
  return [
    judged(rate, null),
    judged(
      { ...rate, id, what: `${items[signal]} to SQLite`, value: rate.ratio, unit: 'times' },
      { least: 0.5 },
    ),
    judged(
      figure('.bytes', 'disk', 'bytes each', figures => figures.bytesPerItem),
      null,
    ),
  ]
}

export const postgres: Row = {
  id: 'postgres',
  title: 'Postgres as the store',
  async run(context) {
    const figures: Figure[] = []
    for (const signal of ['traces', 'logs', 'metrics'] as const)
      figures.push(...(await compare(context, signal)))
    return { figures }
  },
}
