import { describe, expect, it } from 'vitest'
import { SlabPool } from '../../src/engine/slab-pool.ts'

const limitBytes = 300
const slabBytes = 100

describe('a pool of shared memory', () => {
  it('puts entries beside each other while they fit', () => {
    const pool = new SlabPool(limitBytes, slabBytes)
    const places = [40, 40, 40].map((bytes, at) => pool.take(bytes, at + 1))
    expect(places.map(place => place?.at)).toEqual([0, 40, 0])
    expect(places[0]?.memory).toBe(places[1]?.memory)
    expect(places[1]?.memory).not.toBe(places[2]?.memory)
  })

  it('uses memory again once everything in it is released, and not before', () => {
    const pool = new SlabPool(limitBytes, slabBytes)
    const first = pool.take(48, 1)
    pool.take(48, 2)
    pool.take(96, 3)
    pool.take(96, 4)
    pool.release(1)
    expect(pool.take(96, 5)).toBeNull()
    expect(pool.usedBytes).toBe(300)
    pool.release(2)
    expect(pool.usedBytes).toBe(200)
    expect(pool.take(96, 5)?.memory).toBe(first?.memory)
    expect(pool.byteLength).toBe(limitBytes)
  })

  it('gives what is too large memory of its own, within the same bound, and forgets it', () => {
    const pool = new SlabPool(limitBytes, slabBytes)
    expect(pool.take(304, 1)).toBeNull()
    expect(pool.take(240, 1)?.memory.byteLength).toBe(240)
    expect(pool.take(96, 2)).toBeNull()
    pool.release(1)
    expect(pool.byteLength).toBe(0)
    expect(pool.take(96, 2)?.memory.byteLength).toBe(slabBytes)
  })

  it('lets free memory go where something large needs the room', () => {
    const pool = new SlabPool(limitBytes, slabBytes)
    for (const position of [1, 2, 3]) pool.take(96, position)
    pool.release(3)
    expect(pool.byteLength).toBe(300)
    expect(pool.take(200, 4)?.memory.byteLength).toBe(200)
    expect(pool.byteLength).toBe(300)
  })
})
