/** The tools, in the order they are listed. */
import { compareWindows } from './compare-windows.ts'
import { diagnoseIngest } from './diagnose-ingest.ts'
import { getAnomalyTimeline } from './get-anomaly-timeline.ts'
import { getServiceHealth } from './get-service-health.ts'
import { getServiceMap } from './get-service-map.ts'
import { getTrace } from './get-trace.ts'
import { impactAnalysis } from './impact-analysis.ts'
import { investigate } from './investigate.ts'
import { queryMetrics } from './query-metrics.ts'
import { rootCauseAnalysis } from './root-cause-analysis.ts'
import { searchLogs } from './search-logs.ts'
import { searchTraces } from './search-traces.ts'
import type { Tool } from './tool.ts'

export const tools: readonly Tool[] = [
  investigate,
  rootCauseAnalysis,
  impactAnalysis,
  getServiceMap,
  getServiceHealth,
  getAnomalyTimeline,
  searchLogs,
  searchTraces,
  getTrace,
  queryMetrics,
  compareWindows,
  diagnoseIngest,
]

const byName: ReadonlyMap<string, Tool> = new Map(tools.map(tool => [tool.name, tool]))

export function findTool(name: string): Tool | undefined {
  return byName.get(name)
}
