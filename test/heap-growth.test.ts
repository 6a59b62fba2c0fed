import { describe, expect, it } from 'vitest'
import { HeapGrowth } from '../src/heap-flags.ts'

const mebibyte = 2 ** 20

describe('growth of heaps', () => {
  it('gets scarce when the process is large, and comes back only when it is a good deal smaller', () => {
    const set: number[] = []
    const growth = new HeapGrowth(percent => set.push(percent))
    for (const mib of [150, 380, 399]) growth.observe(mib * mebibyte)
    expect(set).toEqual([])
    for (const mib of [401, 600, 399, 356]) growth.observe(mib * mebibyte)
    expect(set).toHaveLength(1)
    for (const mib of [354, 390, 300]) growth.observe(mib * mebibyte)
    expect(set).toHaveLength(2)
    expect(set[0]).toBeLessThan(Number(set[1]))
  })
})
