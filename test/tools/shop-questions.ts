/** Questions about the shop and about what strangers sent, one or more for every tool. */
import { hostileServices } from './hostile-telemetry.ts'
import { shopEndMs, shopFaultMs, shopStartMs, traceIdOf } from './shop-telemetry.ts'

export const window: { readonly from: string; readonly to: string } = {
  from: new Date(shopFaultMs).toISOString(),
  to: new Date(shopEndMs).toISOString(),
}

type Question = readonly [tool: string, args: Readonly<Record<string, unknown>>]

/** A question for every tool that has an answer in the shop. */
export const questions: readonly Question[] = [
  ['investigate', window],
  ['root_cause_analysis', { service: 'frontend', ...window }],
  ['impact_analysis', { service: 'payment', ...window }],
  ['impact_analysis', { service: 'payment', scenario: 'fails', ...window }],
  ['impact_analysis', { service: 'payment', scenario: '+300ms', operation: 'POST /charge', ...window }],
  ['get_service_map', window],
  ['get_service_health', { service: 'payment', ...window }],
  ['get_anomaly_timeline', { from: new Date(shopFaultMs - 600_000).toISOString(), to: window.to }],
  ['search_logs', { service: 'payment', ...window }],
  ['search_logs', { templates: true, ...window }],
  ['search_logs', { query: 'card AND NOT refund', severity: 'error', limit: 5, ...window }],
  ['search_logs', { query: 'card OR refund OR order', by_relevance: true, limit: 20, ...window }],
  ['search_traces', { service: 'payment', status: 'error', ...window }],
  ['search_traces', { group: true, ...window }],
  ['get_trace', { trace_id: traceIdOf(200), include: ['logs', 'attributes', 'exemplars', 'links'] }],
  ['query_metrics', window],
  ['query_metrics', { metric: 'process.memory.usage', group_by: ['service', 'instance'], ...window }],
  [
    'compare_windows',
    { ...window, baseline_from: new Date(shopStartMs).toISOString(), baseline_to: window.from },
  ],
  ['find_similar_logs', { query: 'card processor unavailable', ...window }],
  [
    'find_similar_incidents',
    { ...window, baseline_from: new Date(shopStartMs).toISOString(), baseline_to: window.from },
  ],
  ['get_error_chains', { trace_id: traceIdOf(200), ...window }],
  [
    'correlated_signals',
    { service: 'frontend', from: new Date(shopFaultMs - 1_200_000).toISOString(), to: window.to },
  ],
  ['diagnose_ingest', window],
]

export const hostileQuestions: readonly Question[] = [
  ...questions,
  ...hostileServices.map(service => ['get_service_health', { service, ...window }] as const),
  ['get_trace', { trace_id: traceIdOf(9_000), include: ['logs', 'attributes'] }],
  ['query_metrics', { query: 'x', ...window }],
]
