import { describe, expect, it } from 'vitest'
import { BodyPool } from '../../../src/engine/inbox/body-pool.ts'

const kibibyte = 1_024

describe('the pool of body buffers', () => {
  it('joins the pieces of a body', () => {
    const body = new BodyPool(0).join([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)], 3)
    expect([...body]).toEqual([1, 2, 3])
    expect(body.byteOffset).toBe(0)
  })

  it('uses a buffer again that was given back, for bodies of about the same size only', () => {
    const pool = new BodyPool(1_024 * kibibyte)
    const first = pool.join([new Uint8Array(40 * kibibyte).fill(7)], 40 * kibibyte).buffer
    pool.giveBack(first)
    expect(pool.idleBytes).toBe(64 * kibibyte)
    expect(pool.join([Uint8Array.of(1)], 1).buffer).not.toBe(first)
    const again = pool.join([new Uint8Array(60 * kibibyte).fill(9)], 60 * kibibyte)
    expect(again.buffer).toBe(first)
    expect(again).toEqual(new Uint8Array(60 * kibibyte).fill(9))
    expect(pool.idleBytes).toBe(0)
  })

  it('never lends one buffer twice', () => {
    const pool = new BodyPool(1_024 * kibibyte)
    const lent = Array.from({ length: 5 }, () => pool.join([Uint8Array.of(1)], 1).buffer)
    for (const buffer of lent) pool.giveBack(buffer)
    const again = Array.from({ length: 6 }, () => pool.join([Uint8Array.of(2)], 1).buffer)
    expect(new Set(again).size).toBe(6)
    expect(again.filter(buffer => lent.includes(buffer))).toHaveLength(5)
  })

  it('keeps no more than its limit, and nothing of odd or huge size', () => {
    const pool = new BodyPool(10 * kibibyte)
    for (let i = 0; i < 4; i++) pool.giveBack(new ArrayBuffer(4 * kibibyte))
    expect(pool.idleBytes).toBe(8 * kibibyte)
    const large = new BodyPool(64 * 1_024 * kibibyte)
    large.giveBack(large.join([new Uint8Array(3_000_000)], 3_000_000).buffer)
    large.giveBack(new ArrayBuffer(5_000))
    expect(large.idleBytes).toBe(0)
  })
})
