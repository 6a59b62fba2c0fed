/** One stored item as a plain object in the shape of OTLP/JSON, for people and programs. */
import { type Block, type RecordTable, recordOf } from '../model/telemetry.ts'
import { logRecordMessage } from './fields/logs-fields.ts'
import { type MessageShape, shapeOf } from './fields/message-shape.ts'
import { spanMessage } from './fields/trace-fields.ts'
import { decodePlain, type PlainMessage } from './json/decode-plain.ts'
import { pointLayout } from './metrics/point-layout.ts'

/** The message that row `row` of the block is stored as. */
function recordShape(block: Block, row: number): MessageShape {
  switch (block.signal) {
    case 'traces':
      return shapeOf(spanMessage)
    case 'logs':
      return shapeOf(logRecordMessage)
    case 'metrics':
      return pointLayout(block.metrics[block.metric[row] ?? 0]?.type ?? 'gauge').shape
    default:
      return block satisfies never
  }
}

/** Row `row` with every known field. Throws `decode_error` when the record is malformed. */
export function decodeRecord(block: Block, records: RecordTable, row: number): PlainMessage {
  return decodePlain(recordShape(block, row), recordOf(records, row))
}
