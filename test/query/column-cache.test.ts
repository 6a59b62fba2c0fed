import { describe, expect, it } from 'vitest'
import { ColumnCache } from '../../src/query/column-cache.ts'
import type { DecodedColumns } from '../../src/store/segment/block-codec.ts'
import { blockOf } from '../graph/diagnosis/trace-json.ts'

const columns: DecodedColumns = { block: blockOf([]), held: new Uint8Array(), firstRow: 0 }
const bytes = 1_000

/** Reads these groups in their order, each kept once it was read; returns how many were there. */
function read(cache: ColumnCache, groups: readonly string[]): number {
  cache.begin()
  let known = 0
  for (const group of groups) {
    if (cache.get(group) !== undefined) known++
    else cache.set(group, columns, bytes)
  }
  return known
}

const groupsOf = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${name} ${i}`)

describe('ColumnCache', () => {
  it('keeps as many as fit of more that are read in the same order again and again', () => {
    const cache = new ColumnCache(20 * (bytes + 128))
    read(cache, groupsOf('a', 30))
    expect(read(cache, groupsOf('a', 30))).toBe(20)
    expect(read(cache, groupsOf('a', 30))).toBe(20)
  })

  it('gives up what a few calls have not used for what is read now', () => {
    const cache = new ColumnCache(20 * (bytes + 128))
    read(cache, groupsOf('a', 20))
    for (let call = 0; call < 4; call++) read(cache, groupsOf('b', 20))
    expect(read(cache, groupsOf('b', 20))).toBe(20)
    expect(read(cache, groupsOf('a', 20))).toBe(0)
  })

  it('keeps nothing that is larger than all of it', () => {
    const cache = new ColumnCache(bytes / 2)
    read(cache, groupsOf('a', 3))
    expect(read(cache, groupsOf('a', 3))).toBe(0)
  })
})
