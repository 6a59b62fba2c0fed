/** opentelemetry/proto/metrics/v1/metrics.proto of OTLP 1.11. */
import { commonFile, keyValueName, resourceFile, resourceName, scopeName } from './common-fields.ts'
import { enumeration, type FileSpec, list, type MessageSpec, nested, scalar } from './field-table.ts'

const metrics = 'opentelemetry.proto.metrics.v1'
const temporality = `${metrics}.AggregationTemporality`
const exemplars = (number: number) => list(number, 'exemplars', `${metrics}.Exemplar`)
const startTime = scalar(2, 'start_time_unix_nano', 'fixed64')
const time = scalar(3, 'time_unix_nano', 'fixed64')

export const metricMessage: MessageSpec = {
  name: `${metrics}.Metric`,
  fields: [
    scalar(1, 'name', 'string'),
    scalar(2, 'description', 'string'),
    scalar(3, 'unit', 'string'),
    nested(5, 'gauge', `${metrics}.Gauge`, { oneof: 'data' }),
    nested(7, 'sum', `${metrics}.Sum`, { oneof: 'data' }),
    nested(9, 'histogram', `${metrics}.Histogram`, { oneof: 'data' }),
    nested(10, 'exponential_histogram', `${metrics}.ExponentialHistogram`, { oneof: 'data' }),
    nested(11, 'summary', `${metrics}.Summary`, { oneof: 'data' }),
    list(12, 'metadata', keyValueName),
  ],
}

export const numberPointMessage: MessageSpec = {
  name: `${metrics}.NumberDataPoint`,
  fields: [
    list(7, 'attributes', keyValueName),
    startTime,
    time,
    scalar(4, 'as_double', 'double', { oneof: 'value' }),
    scalar(6, 'as_int', 'sfixed64', { oneof: 'value' }),
    exemplars(5),
    scalar(8, 'flags', 'uint32'),
  ],
}

export const histogramPointMessage: MessageSpec = {
  name: `${metrics}.HistogramDataPoint`,
  fields: [
    list(9, 'attributes', keyValueName),
    startTime,
    time,
    scalar(4, 'count', 'fixed64'),
    scalar(5, 'sum', 'double', { optional: true }),
    scalar(6, 'bucket_counts', 'fixed64', { repeated: true }),
    scalar(7, 'explicit_bounds', 'double', { repeated: true }),
    exemplars(8),
    scalar(10, 'flags', 'uint32'),
    scalar(11, 'min', 'double', { optional: true }),
    scalar(12, 'max', 'double', { optional: true }),
  ],
}

export const bucketsMessage: MessageSpec = {
  name: `${metrics}.ExponentialHistogramDataPoint.Buckets`,
  fields: [scalar(1, 'offset', 'sint32'), scalar(2, 'bucket_counts', 'uint64', { repeated: true })],
}

export const exponentialPointMessage: MessageSpec = {
  name: `${metrics}.ExponentialHistogramDataPoint`,
  fields: [
    list(1, 'attributes', keyValueName),
    startTime,
    time,
    scalar(4, 'count', 'fixed64'),
    scalar(5, 'sum', 'double', { optional: true }),
    scalar(6, 'scale', 'sint32'),
    scalar(7, 'zero_count', 'fixed64'),
    nested(8, 'positive', bucketsMessage.name),
    nested(9, 'negative', bucketsMessage.name),
    scalar(10, 'flags', 'uint32'),
    exemplars(11),
    scalar(12, 'min', 'double', { optional: true }),
    scalar(13, 'max', 'double', { optional: true }),
    scalar(14, 'zero_threshold', 'double'),
  ],
}

export const quantileMessage: MessageSpec = {
  name: `${metrics}.SummaryDataPoint.ValueAtQuantile`,
  fields: [scalar(1, 'quantile', 'double'), scalar(2, 'value', 'double')],
}

export const summaryPointMessage: MessageSpec = {
  name: `${metrics}.SummaryDataPoint`,
  fields: [
    list(7, 'attributes', keyValueName),
    startTime,
    time,
    scalar(4, 'count', 'fixed64'),
    scalar(5, 'sum', 'double'),
    list(6, 'quantile_values', quantileMessage.name),
    scalar(8, 'flags', 'uint32'),
  ],
}

export const exemplarMessage: MessageSpec = {
  name: `${metrics}.Exemplar`,
  fields: [
    list(7, 'filtered_attributes', keyValueName),
    scalar(2, 'time_unix_nano', 'fixed64'),
    scalar(3, 'as_double', 'double', { oneof: 'value' }),
    scalar(6, 'as_int', 'sfixed64', { oneof: 'value' }),
    scalar(4, 'span_id', 'bytes', { idBytes: 8 }),
    scalar(5, 'trace_id', 'bytes', { idBytes: 16 }),
  ],
}

export const metricsFile: FileSpec = {
  path: 'opentelemetry/proto/metrics/v1/metrics.proto',
  package: metrics,
  imports: [commonFile.path, resourceFile.path],
  messages: [
    { name: `${metrics}.MetricsData`, fields: [list(1, 'resource_metrics', `${metrics}.ResourceMetrics`)] },
    {
      name: `${metrics}.ResourceMetrics`,
      fields: [
        nested(1, 'resource', resourceName),
        list(2, 'scope_metrics', `${metrics}.ScopeMetrics`),
        scalar(3, 'schema_url', 'string'),
      ],
    },
    {
      name: `${metrics}.ScopeMetrics`,
      fields: [
        nested(1, 'scope', scopeName),
        list(2, 'metrics', metricMessage.name),
        scalar(3, 'schema_url', 'string'),
      ],
    },
    metricMessage,
    { name: `${metrics}.Gauge`, fields: [list(1, 'data_points', numberPointMessage.name)] },
    {
      name: `${metrics}.Sum`,
      fields: [
        list(1, 'data_points', numberPointMessage.name),
        enumeration(2, 'aggregation_temporality', temporality),
        scalar(3, 'is_monotonic', 'bool'),
      ],
    },
    {
      name: `${metrics}.Histogram`,
      fields: [
        list(1, 'data_points', histogramPointMessage.name),
        enumeration(2, 'aggregation_temporality', temporality),
      ],
    },
    {
      name: `${metrics}.ExponentialHistogram`,
      fields: [
        list(1, 'data_points', exponentialPointMessage.name),
        enumeration(2, 'aggregation_temporality', temporality),
      ],
    },
    { name: `${metrics}.Summary`, fields: [list(1, 'data_points', summaryPointMessage.name)] },
    numberPointMessage,
    histogramPointMessage,
    exponentialPointMessage,
    bucketsMessage,
    summaryPointMessage,
    quantileMessage,
    exemplarMessage,
  ],
  enums: [
    {
      name: temporality,
      values: [
        ['AGGREGATION_TEMPORALITY_UNSPECIFIED', 0],
        ['AGGREGATION_TEMPORALITY_DELTA', 1],
        ['AGGREGATION_TEMPORALITY_CUMULATIVE', 2],
      ],
    },
    {
      name: `${metrics}.DataPointFlags`,
      values: [
        ['DATA_POINT_FLAGS_DO_NOT_USE', 0],
        ['DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK', 1],
      ],
    },
  ],
  services: [],
}
