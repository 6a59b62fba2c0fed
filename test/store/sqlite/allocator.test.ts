import { expect, it } from 'vitest'
import { collectAll } from '../../../src/model/young-garbage.ts'
import { returnFreedMemory } from '../../../src/store/sqlite/allocator.ts'

const pieceBytes = 4_000
const pieces = 40_000

/** Pieces of which every fiftieth is still in use: 150 MB lie between them. */
async function leaveHoles(): Promise<readonly ArrayBuffer[]> {
  let held = Array.from({ length: pieces }, () => new ArrayBuffer(pieceBytes))
  held = held.filter((_, at) => at % 50 === 0)
  collectAll()
  // V8 frees what lies outside of its heap on a thread of its own.
  await new Promise(resolve => setTimeout(resolve, 300))
  collectAll()
  return held
}

it('returns what was freed between pieces that are still in use, and leaves those as they are', async () => {
  const held = await leaveHoles()
  for (const piece of held) new Uint8Array(piece).fill(7)
  const before = process.memoryUsage.rss()
  returnFreedMemory()
  const returned = before - process.memoryUsage.rss()
  expect(held.every(piece => new Uint8Array(piece).every(byte => byte === 7))).toBe(true)
  // Only glibc can be asked.
  if (process.platform === 'linux') expect(returned).toBeGreaterThan((pieces * pieceBytes) / 2)
})
