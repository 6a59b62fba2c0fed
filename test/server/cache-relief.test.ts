import { describe, expect, it } from 'vitest'
import { CacheRelief } from '../../src/process/cache-relief.ts'

const mebibyte = 2 ** 20

/** Shares asked for by sizes in MiB, ten seconds and more apart. */
function asked(sizes: readonly number[]): readonly (number | null)[] {
  const relief = new CacheRelief()
  return sizes.map((mib, at) => relief.observe(mib * mebibyte, at * 11_000))
}

describe('caches that give back', () => {
  it('does nothing below what full ingest takes', () => {
    expect(asked([100, 300, 400, 410])).toEqual([null, null, null, null])
  })

  it('asks for half, and again only when the process grew on', () => {
    expect(asked([415, 417, 422, 424, 425, 440])).toEqual([0.5, null, null, 0.5, null, 0.5])
  })

  it('asks for all close to what the process may have, over and over', () => {
    expect(asked([500, 500, 460, 450])).toEqual([0, 0, 0, null])
  })

  it('begins anew once the process is small again', () => {
    expect(asked([440, 442, 405, 420])).toEqual([0.5, null, null, 0.5])
  })

  it('waits for what it asked for', () => {
    const relief = new CacheRelief()
    const at = (seconds: number, mib: number) => relief.observe(mib * mebibyte, seconds * 1_000)
    expect([at(0, 420), at(5, 480), at(9.9, 500), at(10, 500)]).toEqual([0.5, null, null, 0])
  })
})
