/** The tools, in the order they are listed: those everybody is offered, then the sets that are switched on. */
import type { ToolsetName } from '../model/tool.ts'
import { compareWindows } from './compare-windows.ts'
import { correlatedSignals } from './correlated-signals.ts'
import { diagnoseIngest } from './diagnose-ingest.ts'
import { findSimilarIncidents } from './find-similar-incidents.ts'
import { findSimilarLogs } from './find-similar-logs.ts'
import { getAnomalyTimeline } from './get-anomaly-timeline.ts'
import { getErrorChains } from './get-error-chains.ts'
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

export const toolsets: Readonly<Record<ToolsetName, readonly Tool[]>> = {
  forensics: [findSimilarLogs, findSimilarIncidents, getErrorChains, correlatedSignals],
}

const all: readonly Tool[] = [...tools, ...Object.values(toolsets).flat()]
const byName: ReadonlyMap<string, Tool> = new Map(all.map(tool => [tool.name, tool]))

/** What a server with these sets offers, each set once, in the order of `toolsets`. */
export function offeredTools(switchedOn: readonly ToolsetName[]): readonly Tool[] {
  const names = (Object.keys(toolsets) as ToolsetName[]).filter(name => switchedOn.includes(name)) // keys of a const record
  return [...tools, ...names.flatMap(name => toolsets[name])]
}

/** Any tool there is, offered or not. */
export function findTool(name: string): Tool | undefined {
  return byName.get(name)
}
