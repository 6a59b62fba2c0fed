import { describe, expect, it } from 'vitest'
import { CacheRelief } from '../../src/process/cache-relief.ts'

const mebibyte = 2 ** 20

/** Shares asked for by sizes in MiB, ten seconds and more apart. */
function asked(sizes: readonly number[]): readonly (number | null)[] {
  const relief = new CacheRelief()
  return sizes.map((mib, at) => relief.observe(mib * mebibyte, at * 11_000))
}

describe('caches that give back', () => {
  it('do nothing below what full ingest takes', () => {
    expect(asked([100, 300, 400, 410])).toEqual([null, null, null, null])
  })

  it('give half, and all of it close to what the process may have', () => {
    expect(asked([415, 440, 451, 500])).toEqual([0.5, 0.5, 0, 0])
  })

  it('give again only when the process grew on', () => {
    expect(asked([415, 417, 422, 424, 425, 440])).toEqual([0.5, null, null, 0.5, null, 0.5])
    expect(asked([500, 500, 460, 450, 459])).toEqual([0, null, null, null, 0])
  })

  it('begin anew once the process is small again', () => {
    expect(asked([440, 442, 405, 420])).toEqual([0.5, null, null, 0.5])
  })

  it('are waited for, less long where little is left', () => {
    const relief = new CacheRelief()
    const at = (seconds: number, mib: number) => relief.observe(mib * mebibyte, seconds * 1_000)
    expect([at(0, 420), at(5, 440), at(9.9, 440), at(10, 440)]).toEqual([0.5, null, null, 0.5])
    expect([at(11, 480), at(12, 480), at(13, 500), at(14, 520)]).toEqual([null, 0, null, 0])
  })
})

describe('calls', () => {
  it('run one at a time from where two at once would be too much to where they are not', () => {
    const relief = new CacheRelief()
    const scarce = [420, 431, 420, 401, 400, 420].map((mib, at) => {
      relief.observe(mib * mebibyte, at * 500)
      return relief.isScarce
    })
    expect(scarce).toEqual([false, true, true, true, false, false])
  })
})
