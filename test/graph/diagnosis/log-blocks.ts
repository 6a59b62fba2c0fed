/** Log lines written down by hand, as blocks. */
import type { LogBlock } from '../../../src/model/telemetry.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../../src/otlp/json/transcode-json.ts'

/** Where the times of lines begin. */
export const epochMs = 1_700_000_000_000
export interface Line {
  readonly service: string
  readonly atMs: number
  /** 0: written outside of any request. */
  readonly trace: number
  readonly error?: boolean
  readonly template?: number
}

export function blockOf(lines: readonly Line[]): LogBlock {
  const request = {
    resourceLogs: lines.map(({ service, atMs, trace, error }) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeLogs: [
        {
          logRecords: [
            {
              timeUnixNano: (BigInt(epochMs + atMs) * 1_000_000n).toString(),
              severityNumber: error === true ? 17 : 9,
              body: { stringValue: 'a line' },
              ...(trace === 0 ? {} : { traceId: trace.toString(16).padStart(32, '0') }),
            },
          ],
        },
      ],
    })),
  }
  const bytes = transcodeJson('logs', Buffer.from(JSON.stringify(request)))
  const { block } = decodeBatch('logs', bytes, { receivedMs: epochMs, attributeMaxBytes: 1024 })
  if (block.signal !== 'logs') throw new Error('log records decode to log records')
  block.template.set(lines.map(({ template }) => template ?? 1))
  return block
}
