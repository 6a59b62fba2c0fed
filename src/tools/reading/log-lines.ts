/** Log records of traces, for the tools that show a trace together with what it wrote. */
import { bodyTextOf } from '../../graph/logs/log-body.ts'
import type { Deadline, TelemetryReader } from '../../model/reader.ts'
import { recordOf } from '../../model/telemetry.ts'
import { type TimeRange, toMs } from '../../model/time.ts'
import { bytesOfHex, hexAt, idEquals } from './hex-id.ts'

export interface TraceLogLine {
  readonly timeMs: number
  readonly spanId: string
  readonly service: string
  readonly severity: number
  readonly body: string
}

const classes: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

/** The class of a SeverityNumber; 0 is `unset`. */
export function severityName(number: number): string {
  return number === 0 ? 'unset' : (classes[Math.min(5, Math.floor((number - 1) / 4))] ?? 'unset')
}

/** The lowest SeverityNumber of a class. */
export function severityNumber(name: string): number {
  const at = classes.indexOf(name)
  return at < 0 ? 0 : at * 4 + 1
}

/** The records of one trace inside the range, oldest first, at most `limit` and how many there are. */
export async function logsOfTrace(
  reader: TelemetryReader,
  traceId: string,
  range: TimeRange,
  limit: number,
  deadline: Deadline,
): Promise<{ readonly lines: readonly TraceLogLine[]; readonly total: number }> {
  const wanted = bytesOfHex(traceId)
  const lines: TraceLogLine[] = []
  let total = 0
  for await (const scanned of reader.scanLogs({ range, order: 'oldest_first' })) {
    deadline.check()
    const { block } = scanned
    const rows: number[] = []
    for (let row = 0; row < block.count; row++) if (idEquals(block.traceId, row, wanted)) rows.push(row)
    total += rows.length
    const kept = rows.slice(0, Math.max(0, limit - lines.length))
    if (kept.length === 0) continue
    const records = await scanned.records(kept)
    for (const row of kept) {
      lines.push({
        timeMs: toMs(block.timeHi[row] ?? 0, block.timeLo[row] ?? 0),
        spanId: hexAt(block.spanId, row, 8),
        service: block.resources[block.resource[row] ?? 0]?.service ?? '',
        severity: block.severity[row] ?? 0,
        body: bodyTextOf(recordOf(records, row)),
      })
    }
  }
  lines.sort((a, b) => a.timeMs - b.timeMs || (a.spanId < b.spanId ? -1 : a.spanId > b.spanId ? 1 : 0))
  return { lines, total }
}
