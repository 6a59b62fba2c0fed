import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { SharedGarbage } from '../../src/model/shared-garbage.ts'

describe('shared garbage', () => {
  test('is collected once for so many bytes that passed', () => {
    const collected: string[] = []
    const garbage = new SharedGarbage('major', 100, type => collected.push(type))
    for (const bytes of [60, 39, 0]) garbage.passed(bytes)
    expect(collected).toEqual([])
    garbage.passed(1)
    expect(collected).toEqual(['major'])
    garbage.passed(250)
    garbage.passed(99)
    expect(collected).toEqual(['major', 'major'])
  })

  test('really is gone after a full collection', async () => {
    const garbage = new SharedGarbage('major', 1)
    const references = Array.from({ length: 10 }, () => new WeakRef(new SharedArrayBuffer(1_000)))
    await nextTurn()
    garbage.passed(1)
    await nextTurn()
    expect(references.filter(reference => reference.deref() !== undefined).length).toBeLessThan(10)
  })
})
