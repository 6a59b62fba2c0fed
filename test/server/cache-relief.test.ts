import { describe, expect, it } from 'vitest'
import { CacheRelief } from '../../src/process/cache-relief.ts'

const mebibyte = 2 ** 20

/** Shares asked for by sizes in MiB, ten seconds and more apart. */
function asked(sizes: readonly number[]): readonly (number | null)[] {
  const relief = new CacheRelief()
  return sizes.map((mib, at) => relief.observe(mib * mebibyte, at * 11_000))
}

describe('memory that goes back', () => {
  it('is not looked for in a small process', () => {
    expect(asked([100, 300, 350])).toEqual([null, null, null])
  })

  it('is what is free at first, then half of what caches hold, then all of it', () => {
    expect(asked([360, 380, 415, 430, 451, 500])).toEqual([1, 1, 0.5, 0.5, 0, 0])
  })

  it('is looked for again only when the process grew on', () => {
    expect(asked([415, 417, 422, 424, 425, 440])).toEqual([0.5, null, null, 0.5, null, 0.5])
    expect(asked([500, 500, 460, 450, 459])).toEqual([0, null, null, null, 0])
  })

  it('is waited for', () => {
    const relief = new CacheRelief()
    const at = (seconds: number, mib: number) => relief.observe(mib * mebibyte, seconds * 1_000)
    expect([at(0, 420), at(5, 480), at(9.9, 500), at(10, 500)]).toEqual([0.5, null, null, 0])
  })
})
