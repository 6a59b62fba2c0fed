/** What the whole server on SQLite came to, measured once a run: several rows are held against it. */
import type { Signal } from '../../src/model/telemetry.ts'
import { type IngestFigures, type IngestRun, measureIngest } from '../measure/ingest-run.ts'
import { startWhole } from '../measure/subjects.ts'
import type { RowContext } from './row.ts'

const measured = new Map<Signal, Promise<IngestFigures>>()

/** Spans by their number, because A and B get slower as their tables grow; all else for some seconds. */
export function extentOf(context: RowContext, signal: Signal): IngestRun['extent'] {
  return signal === 'traces' ? { items: context.spans } : { seconds: context.seconds }
}

/** Rejects as `measureIngest` does. */
export function wholeOnSqlite(context: RowContext, signal: Signal): Promise<IngestFigures> {
  const known = measured.get(signal)
  if (known !== undefined) return known
  context.progress(`${signal}, everything behind them`)
  const { warmUpSeconds } = context
  const extent = extentOf(context, signal)
  const figures = measureIngest({ start: () => startWhole(), signal, extent, warmUpSeconds })
  measured.set(signal, figures)
  return figures
}
