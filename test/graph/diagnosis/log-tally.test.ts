import { describe, expect, it } from 'vitest'
import { LogTally } from '../../../src/graph/diagnosis/log-tally.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import type { LogBlock } from '../../../src/model/telemetry.ts'
import { decodeBatch } from '../../../src/otlp/decode-batch.ts'
import { transcodeJson } from '../../../src/otlp/json/transcode-json.ts'

const epochMs = 1_700_000_000_000
const range = { fromMs: epochMs, toMs: epochMs + 10_000 }

interface Line {
  readonly service: string
  readonly atMs: number
  /** 0: written outside of any request. */
  readonly trace: number
  readonly error?: boolean
  readonly template?: number
}

function blockOf(lines: readonly Line[]): LogBlock {
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

function tallyOf(...blocks: readonly (readonly Line[])[]) {
  const names = new Names()
  const tally = new LogTally(names, range)
  for (const lines of blocks) tally.add(blockOf(lines))
  const errors = tally
    .errors()
    .map(({ service, template, traceIds }) => [names.text(service), template, traceIds.length])
  return { errors, records: (service: string) => tally.records(names.id(service)) }
}

describe('LogTally', () => {
  const failing = (trace: number, atMs: number): readonly Line[] => [
    { service: 'gateway', atMs: atMs + 9, trace, error: true, template: 2 },
    { service: 'cart', atMs, trace, error: true, template: 3 },
    { service: 'cart', atMs: atMs + 1, trace },
  ]

  it('puts a request down to the first error of its trace, in whatever order records come', () => {
    const { errors, records } = tallyOf([...failing(1, 100)].reverse(), failing(2, 200))
    expect(errors).toEqual([['cart', 3, 2]])
    expect([records('cart'), records('gateway')]).toEqual([4, 2])
  })

  it('counts no record outside of the window and no error outside of any request', () => {
    const { errors, records } = tallyOf([
      { service: 'cart', atMs: -1, trace: 1, error: true },
      { service: 'cart', atMs: 10_000, trace: 2, error: true },
      { service: 'cart', atMs: 5, trace: 0, error: true },
    ])
    expect(errors).toEqual([])
    expect(records('cart')).toBe(1)
  })
})
