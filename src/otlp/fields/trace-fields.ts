/** opentelemetry/proto/trace/v1/trace.proto of OTLP 1.11. */
import { commonFile, keyValueName, resourceFile, resourceName, scopeName } from './common-fields.ts'
import { enumeration, type FileSpec, list, type MessageSpec, nested, scalar } from './field-table.ts'

const trace = 'opentelemetry.proto.trace.v1'

export const linkMessage: MessageSpec = {
  name: `${trace}.Span.Link`,
  fields: [
    scalar(1, 'trace_id', 'bytes', { idBytes: 16 }),
    scalar(2, 'span_id', 'bytes', { idBytes: 8 }),
    scalar(3, 'trace_state', 'string'),
    list(4, 'attributes', keyValueName),
    scalar(5, 'dropped_attributes_count', 'uint32'),
    scalar(6, 'flags', 'fixed32'),
  ],
}

export const eventMessage: MessageSpec = {
  name: `${trace}.Span.Event`,
  fields: [
    scalar(1, 'time_unix_nano', 'fixed64'),
    scalar(2, 'name', 'string'),
    list(3, 'attributes', keyValueName),
    scalar(4, 'dropped_attributes_count', 'uint32'),
  ],
}

export const spanMessage: MessageSpec = {
  name: `${trace}.Span`,
  fields: [
    scalar(1, 'trace_id', 'bytes', { idBytes: 16 }),
    scalar(2, 'span_id', 'bytes', { idBytes: 8 }),
    scalar(3, 'trace_state', 'string'),
    scalar(4, 'parent_span_id', 'bytes', { idBytes: 8 }),
    scalar(16, 'flags', 'fixed32'),
    scalar(5, 'name', 'string'),
    enumeration(6, 'kind', `${trace}.Span.SpanKind`),
    scalar(7, 'start_time_unix_nano', 'fixed64'),
    scalar(8, 'end_time_unix_nano', 'fixed64'),
    list(9, 'attributes', keyValueName),
    scalar(10, 'dropped_attributes_count', 'uint32'),
    list(11, 'events', eventMessage.name),
    scalar(12, 'dropped_events_count', 'uint32'),
    list(13, 'links', linkMessage.name),
    scalar(14, 'dropped_links_count', 'uint32'),
    nested(15, 'status', `${trace}.Status`),
  ],
}

export const spanStatusMessage: MessageSpec = {
  name: `${trace}.Status`,
  fields: [scalar(2, 'message', 'string'), enumeration(3, 'code', `${trace}.Status.StatusCode`)],
}

export const traceFile: FileSpec = {
  path: 'opentelemetry/proto/trace/v1/trace.proto',
  package: trace,
  imports: [commonFile.path, resourceFile.path],
  messages: [
    { name: `${trace}.TracesData`, fields: [list(1, 'resource_spans', `${trace}.ResourceSpans`)] },
    {
      name: `${trace}.ResourceSpans`,
      fields: [
        nested(1, 'resource', resourceName),
        list(2, 'scope_spans', `${trace}.ScopeSpans`),
        scalar(3, 'schema_url', 'string'),
      ],
    },
    {
      name: `${trace}.ScopeSpans`,
      fields: [
        nested(1, 'scope', scopeName),
        list(2, 'spans', spanMessage.name),
        scalar(3, 'schema_url', 'string'),
      ],
    },
    spanMessage,
    eventMessage,
    linkMessage,
    spanStatusMessage,
  ],
  enums: [
    {
      name: `${trace}.Span.SpanKind`,
      values: [
        ['SPAN_KIND_UNSPECIFIED', 0],
        ['SPAN_KIND_INTERNAL', 1],
        ['SPAN_KIND_SERVER', 2],
        ['SPAN_KIND_CLIENT', 3],
        ['SPAN_KIND_PRODUCER', 4],
        ['SPAN_KIND_CONSUMER', 5],
      ],
    },
    {
      name: `${trace}.Status.StatusCode`,
      values: [
        ['STATUS_CODE_UNSET', 0],
        ['STATUS_CODE_OK', 1],
        ['STATUS_CODE_ERROR', 2],
      ],
    },
    {
      name: `${trace}.SpanFlags`,
      values: [
        ['SPAN_FLAGS_DO_NOT_USE', 0],
        ['SPAN_FLAGS_TRACE_FLAGS_MASK', 255],
        ['SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK', 256],
        ['SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK', 512],
      ],
    },
  ],
  services: [],
}
