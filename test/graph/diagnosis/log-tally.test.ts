import { describe, expect, it } from 'vitest'
import { LogTally } from '../../../src/graph/diagnosis/log-tally.ts'
import { Names } from '../../../src/graph/diagnosis/names.ts'
import { blockOf, epochMs, type Line } from './log-blocks.ts'

const range = { fromMs: epochMs, toMs: epochMs + 10_000 }

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
