/** The three files under opentelemetry/proto/collector of OTLP 1.11: requests, responses, services. */
import type { Signal } from '../../model/telemetry.ts'
import { type FileSpec, list, type MessageSpec, nested, scalar } from './field-table.ts'
import { logsFile } from './logs-fields.ts'
import { metricsFile } from './metrics-fields.ts'
import { traceFile } from './trace-fields.ts'

/** How the names of one signal's collector files are put together. */
interface CollectorNames {
  /** Folder and package part: `trace`, `logs`, `metrics`. */
  readonly folder: string
  /** `Trace`, `Logs`, `Metrics`. */
  readonly title: string
  /** Name and type of the only field of the request. */
  readonly groups: string
  readonly groupType: string
  /** Name of the count of refused items. */
  readonly rejected: string
  readonly data: FileSpec
}

const names: Readonly<Record<Signal, CollectorNames>> = {
  traces: {
    folder: 'trace',
    title: 'Trace',
    groups: 'resource_spans',
    groupType: 'ResourceSpans',
    rejected: 'rejected_spans',
    data: traceFile,
  },
  logs: {
    folder: 'logs',
    title: 'Logs',
    groups: 'resource_logs',
    groupType: 'ResourceLogs',
    rejected: 'rejected_log_records',
    data: logsFile,
  },
  metrics: {
    folder: 'metrics',
    title: 'Metrics',
    groups: 'resource_metrics',
    groupType: 'ResourceMetrics',
    rejected: 'rejected_data_points',
    data: metricsFile,
  },
}

/** The messages of one collector service. */
export interface CollectorService {
  readonly request: MessageSpec
  readonly response: MessageSpec
  readonly partialSuccess: MessageSpec
  readonly file: FileSpec
}

function collectorService(signal: Signal): CollectorService {
  const { folder, title, groups, groupType, rejected, data } = names[signal]
  const pkg = `opentelemetry.proto.collector.${folder}.v1`
  const request: MessageSpec = {
    name: `${pkg}.Export${title}ServiceRequest`,
    fields: [list(1, groups, `${data.package}.${groupType}`)],
  }
  const partialSuccess: MessageSpec = {
    name: `${pkg}.Export${title}PartialSuccess`,
    fields: [scalar(1, rejected, 'int64'), scalar(2, 'error_message', 'string')],
  }
  const response: MessageSpec = {
    name: `${pkg}.Export${title}ServiceResponse`,
    fields: [nested(1, 'partial_success', partialSuccess.name)],
  }
  const file: FileSpec = {
    path: `opentelemetry/proto/collector/${folder}/v1/${folder}_service.proto`,
    package: pkg,
    imports: [data.path],
    messages: [request, response, partialSuccess],
    enums: [],
    services: [
      {
        name: `${pkg}.${title}Service`,
        methods: [{ name: 'Export', input: request.name, output: response.name }],
      },
    ],
  }
  return { request, response, partialSuccess, file }
}

export const collectorServices: Readonly<Record<Signal, CollectorService>> = {
  traces: collectorService('traces'),
  logs: collectorService('logs'),
  metrics: collectorService('metrics'),
}
