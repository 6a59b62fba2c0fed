/** google/rpc/status.proto and the part of error_details.proto and its imports that retrying clients read. */
import { type FileSpec, list, type MessageSpec, nested, scalar } from './field-table.ts'

export const durationMessage: MessageSpec = {
  name: 'google.protobuf.Duration',
  fields: [scalar(1, 'seconds', 'int64'), scalar(2, 'nanos', 'int32')],
}

export const anyMessage: MessageSpec = {
  name: 'google.protobuf.Any',
  fields: [scalar(1, 'type_url', 'string'), scalar(2, 'value', 'bytes')],
}

export const retryInfoMessage: MessageSpec = {
  name: 'google.rpc.RetryInfo',
  fields: [nested(1, 'retry_delay', durationMessage.name)],
}

export const rpcStatusMessage: MessageSpec = {
  name: 'google.rpc.Status',
  fields: [scalar(1, 'code', 'int32'), scalar(2, 'message', 'string'), list(3, 'details', anyMessage.name)],
}

const file = (path: string, imports: readonly string[], message: MessageSpec): FileSpec => ({
  path,
  package: message.name.slice(0, message.name.lastIndexOf('.')),
  imports,
  messages: [message],
  enums: [],
  services: [],
})

export const rpcFiles: readonly FileSpec[] = [
  file('google/protobuf/duration.proto', [], durationMessage),
  file('google/protobuf/any.proto', [], anyMessage),
  file('google/rpc/error_details.proto', ['google/protobuf/duration.proto'], retryInfoMessage),
  file('google/rpc/status.proto', ['google/protobuf/any.proto'], rpcStatusMessage),
]
