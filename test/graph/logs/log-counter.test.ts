import { describe, expect, it } from 'vitest'
import { bodyTextOf } from '../../../src/graph/logs/log-body.ts'
import { rollupView } from '../../../src/graph/rollups/rollup-view.ts'
import { TenantGraph } from '../../../src/graph/tenant-graph.ts'
import { epochMs, logBatch, type TestLog } from '../telemetry-batches.ts'

const lines: readonly TestLog[] = [
  { service: 'pay', body: 'charged order 17', atMs: 0, severity: 9 },
  { service: 'pay', body: 'charged order 18', atMs: 12_000, severity: 10 },
  { service: 'pay', body: 'gateway refused order 18', atMs: 12_500, severity: 17 },
  { service: 'web', body: 'charged order 19', atMs: 13_000, severity: 0 },
]

describe('log records', () => {
  const graph = new TenantGraph({ tenant: 't', templates: [] })
  const { templates } = graph.ingest(logBatch(lines), epochMs)
  const cut = graph.cut()
  const view = rollupView(cut.rollups, { fromMs: epochMs, toMs: epochMs + 20_000 }, 10)

  it('get the number of their template, separate per service', () => {
    expect([...(templates ?? [])]).toEqual([1, 1, 2, 3])
    expect(cut.templates.map(one => [one.number, one.service, one.pattern, one.severity])).toEqual([
      [1, 'pay', 'charged order <*>', 10],
      [2, 'pay', 'gateway refused order <*>', 17],
      [3, 'web', 'charged order <*>', 0],
    ])
  })

  it('are counted by severity class and template in their window', () => {
    const cells = (kind: 'severity' | 'template') => view.series(kind).map(one => [...one.key, ...one.count])
    expect(cells('severity')).toEqual([
      ['pay', 'error', 0, 1],
      ['pay', 'info', 1, 1],
      ['web', 'info', 0, 1],
    ])
    const ids = cut.templates.map(one => one.id)
    expect(
      cells('template')
        .map(([service, id, ...counts]) => [service, ids.indexOf(String(id)) + 1, ...counts])
        .sort(),
    ).toEqual([
      ['pay', 1, 1, 1],
      ['pay', 2, 0, 1],
      ['web', 3, 0, 1],
    ])
  })

  it('keep their templates over a restart, and go on numbering behind them', () => {
    const restarted = new TenantGraph({ tenant: 't', templates: cut.templates.toReversed() })
    const more = [...lines, { service: 'web', body: 'something else happened', atMs: 14_000 }]
    expect([...(restarted.ingest(logBatch(more), epochMs).templates ?? [])]).toEqual([1, 1, 2, 3, 4])
    expect(restarted.cut().templates.map(one => one.number)).toEqual([4])
  })
})

describe('the body of a log record', () => {
  it.each([
    ['text', [0x2a, 4, 0x0a, 2, 0x68, 0x69], 'hi'],
    ['a number', [0x2a, 2, 0x18, 7], '7'],
    ['a map', [0x2a, 11, 0x32, 9, 0x0a, 7, 0x0a, 1, 0x6b, 0x12, 2, 0x18, 5], '{"k":5}'],
    ['missing', [0x10, 9], ''],
    ['empty', [0x2a, 0], ''],
  ])('is read when it is %s', (_, bytes, text) => {
    expect(bodyTextOf(Uint8Array.from(bytes))).toBe(text)
  })
})
