import { describe, expect, test } from 'vitest'
import { YoungGarbage } from '../../src/model/young-garbage.ts'

describe('young garbage', () => {
  test('is collected once for so many bytes that passed', () => {
    let collections = 0
    const garbage = new YoungGarbage(100, () => collections++)
    for (const bytes of [60, 39, 0]) garbage.passed(bytes)
    expect(collections).toBe(0)
    garbage.passed(1)
    expect(collections).toBe(1)
    garbage.passed(250)
    garbage.passed(99)
    expect(collections).toBe(2)
  })

  test('really is gone after a collection', async () => {
    const garbage = new YoungGarbage(1)
    const lengths = Array.from({ length: 20 }, () => new ArrayBuffer(2 ** 20).byteLength)
    const before = process.memoryUsage().arrayBuffers
    expect(lengths).toHaveLength(20)
    garbage.passed(1)
    await expect.poll(() => process.memoryUsage().arrayBuffers).toBeLessThan(before - 15 * 2 ** 20)
  })
})
