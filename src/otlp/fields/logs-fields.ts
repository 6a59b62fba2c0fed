/** opentelemetry/proto/logs/v1/logs.proto of OTLP 1.11. */
import {
  anyValueName,
  commonFile,
  keyValueName,
  resourceFile,
  resourceName,
  scopeName,
} from './common-fields.ts'
import {
  type EnumSpec,
  enumeration,
  type FileSpec,
  list,
  type MessageSpec,
  nested,
  scalar,
} from './field-table.ts'

const logs = 'opentelemetry.proto.logs.v1'

export const logRecordMessage: MessageSpec = {
  name: `${logs}.LogRecord`,
  fields: [
    scalar(1, 'time_unix_nano', 'fixed64'),
    scalar(11, 'observed_time_unix_nano', 'fixed64'),
    enumeration(2, 'severity_number', `${logs}.SeverityNumber`),
    scalar(3, 'severity_text', 'string'),
    nested(5, 'body', anyValueName),
    list(6, 'attributes', keyValueName),
    scalar(7, 'dropped_attributes_count', 'uint32'),
    scalar(8, 'flags', 'fixed32'),
    scalar(9, 'trace_id', 'bytes', { idBytes: 16 }),
    scalar(10, 'span_id', 'bytes', { idBytes: 8 }),
    scalar(12, 'event_name', 'string'),
  ],
}

function severityNumbers(): EnumSpec['values'] {
  const values: [string, number][] = [['SEVERITY_NUMBER_UNSPECIFIED', 0]]
  for (const level of ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']) {
    for (const step of ['', '2', '3', '4']) values.push([`SEVERITY_NUMBER_${level}${step}`, values.length])
  }
  return values
}

export const logsFile: FileSpec = {
  path: 'opentelemetry/proto/logs/v1/logs.proto',
  package: logs,
  imports: [commonFile.path, resourceFile.path],
  messages: [
    { name: `${logs}.LogsData`, fields: [list(1, 'resource_logs', `${logs}.ResourceLogs`)] },
    {
      name: `${logs}.ResourceLogs`,
      fields: [
        nested(1, 'resource', resourceName),
        list(2, 'scope_logs', `${logs}.ScopeLogs`),
        scalar(3, 'schema_url', 'string'),
      ],
    },
    {
      name: `${logs}.ScopeLogs`,
      fields: [
        nested(1, 'scope', scopeName),
        list(2, 'log_records', logRecordMessage.name),
        scalar(3, 'schema_url', 'string'),
      ],
    },
    logRecordMessage,
  ],
  enums: [
    { name: `${logs}.SeverityNumber`, values: severityNumbers() },
    {
      name: `${logs}.LogRecordFlags`,
      values: [
        ['LOG_RECORD_FLAGS_DO_NOT_USE', 0],
        ['LOG_RECORD_FLAGS_TRACE_FLAGS_MASK', 255],
      ],
    },
  ],
  services: [],
}
