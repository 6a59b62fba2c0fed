/** opentelemetry/proto/common/v1/common.proto and resource/v1/resource.proto of OTLP 1.11. */
import { type FileSpec, list, type MessageSpec, nested, scalar } from './field-table.ts'

const common = 'opentelemetry.proto.common.v1'

export const keyValueName: string = `${common}.KeyValue`
export const anyValueName: string = `${common}.AnyValue`
export const scopeName: string = `${common}.InstrumentationScope`
export const resourceName: string = 'opentelemetry.proto.resource.v1.Resource'

const oneof = 'value'

export const anyValueMessage: MessageSpec = {
  name: anyValueName,
  fields: [
    scalar(1, 'string_value', 'string', { oneof }),
    scalar(2, 'bool_value', 'bool', { oneof }),
    scalar(3, 'int_value', 'int64', { oneof }),
    scalar(4, 'double_value', 'double', { oneof }),
    nested(5, 'array_value', `${common}.ArrayValue`, { oneof }),
    nested(6, 'kvlist_value', `${common}.KeyValueList`, { oneof }),
    scalar(7, 'bytes_value', 'bytes', { oneof }),
    // Only the profiles signal may use string indices; kept so that nothing sent is lost.
    scalar(8, 'string_value_strindex', 'int32', { oneof }),
  ],
}

export const keyValueMessage: MessageSpec = {
  name: keyValueName,
  fields: [scalar(1, 'key', 'string'), nested(2, 'value', anyValueName), scalar(3, 'key_strindex', 'int32')],
}

export const scopeMessage: MessageSpec = {
  name: scopeName,
  fields: [
    scalar(1, 'name', 'string'),
    scalar(2, 'version', 'string'),
    list(3, 'attributes', keyValueName),
    scalar(4, 'dropped_attributes_count', 'uint32'),
  ],
}

export const resourceMessage: MessageSpec = {
  name: resourceName,
  fields: [
    list(1, 'attributes', keyValueName),
    scalar(2, 'dropped_attributes_count', 'uint32'),
    list(3, 'entity_refs', `${common}.EntityRef`),
  ],
}

export const commonFile: FileSpec = {
  path: 'opentelemetry/proto/common/v1/common.proto',
  package: common,
  imports: [],
  messages: [
    anyValueMessage,
    { name: `${common}.ArrayValue`, fields: [list(1, 'values', anyValueName)] },
    { name: `${common}.KeyValueList`, fields: [list(1, 'values', keyValueName)] },
    keyValueMessage,
    scopeMessage,
    {
      name: `${common}.EntityRef`,
      fields: [
        scalar(1, 'schema_url', 'string'),
        scalar(2, 'type', 'string'),
        scalar(3, 'id_keys', 'string', { repeated: true }),
        scalar(4, 'description_keys', 'string', { repeated: true }),
      ],
    },
  ],
  enums: [],
  services: [],
}

export const resourceFile: FileSpec = {
  path: 'opentelemetry/proto/resource/v1/resource.proto',
  package: 'opentelemetry.proto.resource.v1',
  imports: [commonFile.path],
  messages: [resourceMessage],
  enums: [],
  services: [],
}
