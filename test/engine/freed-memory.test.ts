import { describe, expect, it } from 'vitest'
import { FreedMemory } from '../../src/engine/freed-memory.ts'

const mebibyte = 2 ** 20

/** At which of these sizes, MiB, so many seconds apart, memory was returned; each time `holes` of it go. */
function returned(sizes: readonly number[], { seconds = 11, holes = 0 } = {}): readonly number[] {
  const at: number[] = []
  let mib = 0
  const freed = new FreedMemory(
    () => mib * mebibyte,
    () => {
      at.push(mib)
      mib -= holes
    },
  )
  for (const [look, size] of sizes.entries()) {
    mib = size
    freed.look(look * seconds * 1_000)
  }
  return at
}

describe('freed memory', () => {
  it('stays where it is in a small process', () => {
    expect(returned([100, 200, 350])).toEqual([])
  })

  it('is returned once the process is no longer small, and again only when it has grown', () => {
    expect(returned([351, 355, 359, 360, 367, 368, 369])).toEqual([351, 360, 369])
  })

  it('is returned again when what was returned is used again', () => {
    expect(returned([400, 365, 400], { holes: 50 })).toEqual([400, 365, 400])
  })

  it('counts growth from where the process has shrunk to', () => {
    expect(returned([440, 380, 387, 389])).toEqual([440, 389])
  })

  it('is looked for once a minute where nothing grows', () => {
    expect(returned(Array.from({ length: 13 }, () => 360))).toEqual([360, 360, 360])
    expect(returned(Array.from({ length: 13 }, () => 350))).toEqual([])
  })

  it('waits ten seconds between two times, one where little is left', () => {
    expect(returned([400, 410, 420, 430, 440, 450], { seconds: 3 })).toEqual([400, 440])
    expect(returned([451, 460, 469, 478], { seconds: 1 })).toEqual([451, 460, 469, 478])
  })
})
