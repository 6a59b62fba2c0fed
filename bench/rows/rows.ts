/** All rows, in the order of the table. */
import { inQueryWorker } from '../measure/query-worker-thread.ts'
import { latency, overload } from './acknowledgement.ts'
import { growth } from './growth.ts'
import { logs, metrics, spans, transports } from './ingest.ts'
import { investigate } from './investigate.ts'
import { postgres } from './postgres.ts'
import { readPaths } from './read-paths.ts'
import { graph, graphData, logData, logSearch, spanData, trace } from './reads.ts'
import type { Row } from './row.ts'
import { contention, mcp, start } from './whole-server.ts'

export const rows: readonly Row[] = [
  spans,
  transports,
  logs,
  metrics,
  postgres,
  latency,
  overload,
  inQueryWorker(trace, ({ scale }) => spanData(scale)),
  inQueryWorker(logSearch, ({ scale }) => logData(scale)),
  inQueryWorker(graph, ({ scale }) => graphData(scale)),
  investigate,
  mcp,
  contention,
  readPaths,
  start,
  growth,
]
