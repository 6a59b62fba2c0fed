/** What every storage of the inbox has to do; run on the SQLite file and on the simulation's model of it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emptyCounter } from '../../../src/engine/inbox/inbox-counter.ts'
import { decodeRow, type InboxRow } from '../../../src/engine/inbox/inbox-row.ts'
import type { InboxReader, InboxStorage, InboxWriter } from '../../../src/engine/inbox/inbox-storage.ts'

export interface StorageUnderTest {
  readonly storage: InboxStorage
  openReader(): InboxReader
  remove(): void
}

export function row(text: string, change: Partial<InboxRow> = {}): Omit<InboxRow, 'position'> {
  const body = Buffer.from(text)
  return {
    tenant: 'acme',
    signal: 'traces',
    receivedMs: 1_700_000_000_000,
    encoding: 'protobuf',
    compression: 'none',
    rawBytes: body.length,
    items: 3,
    refusals: [],
    body,
    ...change,
  }
}

function hash(number: number): Uint8Array {
  return new Uint8Array(16).fill(number)
}

/** `make` gives an empty storage. */
export function describeInboxStorage(name: string, make: () => StorageUnderTest): void {
  describe(`an inbox on ${name}`, () => {
    let under: StorageUnderTest
    let writer: InboxWriter

    beforeEach(() => {
      under = make()
      writer = under.storage.open()
    })

    afterEach(() => {
      writer.close()
      under.remove()
    })

    function commit(work: () => void): void {
      writer.begin()
      work()
      writer.commit()
    }

    function reopen(): void {
      writer.close()
      writer = under.storage.open()
    }

    function read(from: number, to: number): readonly string[] {
      const reader = under.openReader()
      const texts = reader
        .read(from, to, 1e9)
        .map(stored => `${stored.position} ${Buffer.from(decodeRow(stored).body).toString()}`)
      reader.close()
      return texts
    }

    it('gives rows back as they were committed, with consecutive positions', () => {
      const refusals = [{ index: 2, reason: 'bad' }]
      commit(() => {
        expect(writer.insert(row('a', { refusals, signal: 'logs', compression: 'gzip' }))).toBe(1)
        expect(writer.insert(row('b'))).toBe(2)
      })
      const reader = under.openReader()
      const [first] = reader.read(1, 2, 1e9)
      if (first === undefined) throw new Error('nothing was read')
      const { body, ...rest } = decodeRow(first)
      const { body: _, ...expected } = row('a', { refusals, signal: 'logs', compression: 'gzip' })
      expect(rest).toEqual({ ...expected, position: 1 })
      expect(Buffer.from(body).toString()).toBe('a')
      expect(reader.lastPosition()).toBe(2)
      expect(reader.inboxId).toBe(writer.inboxId)
      reader.close()
      expect(read(2, 2)).toEqual(['2 b'])
    })

    it('shows nothing of a transaction that is open or rolled back, and uses its positions again', () => {
      writer.begin()
      writer.insert(row('a'))
      expect(read(1, 9)).toEqual([])
      writer.rollback()
      expect(writer.lastPosition).toBe(0)
      commit(() => expect(writer.insert(row('b'))).toBe(1))
      expect(read(1, 9)).toEqual(['1 b'])
    })

    it('keeps rows, identity, figures and what was seen over a restart', () => {
      const { inboxId: id, secret } = writer
      commit(() => {
        writer.insert(row('a'))
        writer.remember({ hash: hash(7), receivedMs: 5_000, accepted: 3, rejected: 1 })
        writer.count({ ...emptyCounter('acme', 'traces'), accepted: 3, rows: 1, items: 3, bytes: 257 })
      })
      reopen()
      expect(writer.inboxId).toBe(id)
      expect(writer.secret).toEqual(secret)
      expect(secret.length).toBe(16)
      expect(writer.lastPosition).toBe(1)
      expect(read(1, 1)).toEqual(['1 a'])
      const seen = [...writer.seenSince(0, 10)]
      expect(seen.map(one => [Buffer.from(one.hash).toString('hex'), one.accepted, one.rejected])).toEqual([
        ['07'.repeat(16), 3, 1],
      ])
      expect(writer.counters()).toEqual([
        { ...emptyCounter('acme', 'traces'), accepted: 3, rows: 1, items: 3, bytes: 257 },
      ])
    })

    it('never uses a position again once it is committed, trimmed or not', () => {
      commit(() => ['a', 'b'].map(text => writer.insert(row(text))))
      commit(() => void writer.trim(2, 10))
      reopen()
      expect(writer.lastPosition).toBe(2)
      commit(() => expect(writer.insert(row('c'))).toBe(3))
    })

    it('trims up to a position, a few at a time, what is kept excepted', () => {
      commit(() => ['a', 'b', 'c', 'd', 'e'].map(text => writer.insert(row(text))))
      const burial = { tenant: 'acme', signal: 'traces' as const, items: 3, reason: 'x' }
      commit(() => {
        expect(writer.bury({ ...burial, position: 2, kept: true })).toBe(true)
        expect(writer.bury({ ...burial, position: 3, kept: false })).toBe(true)
        expect(writer.bury({ ...burial, position: 3, kept: false })).toBe(false)
      })
      expect(writer.keptRows()).toBe(1)
      const trim = (limit: number) => {
        writer.begin()
        const trimmed = writer.trim(4, limit)
        writer.commit()
        return trimmed
      }
      const first = trim(2)
      expect(first.done).toBe(false)
      expect(first.removed).toEqual([
        { ...emptyCounter('acme', 'traces'), rows: -2, items: -6, bytes: -2 * 257 },
      ])
      expect(read(1, 9)).toEqual(['2 b', '4 d', '5 e'])
      expect(trim(2).done).toBe(true)
      expect(read(1, 9)).toEqual(['2 b', '5 e'])
      const reader = under.openReader()
      expect(reader.buriedAfter(2)).toEqual([3])
      reader.close()
    })

    it('adds up figures of each tenant and signal', () => {
      commit(() => {
        writer.count({ ...emptyCounter('b', 'logs'), accepted: 2, deduplicated: 1 })
        writer.count({ ...emptyCounter('a', 'logs'), accepted: 1 })
        writer.count({ ...emptyCounter('b', 'logs'), accepted: 3, rows: 1 })
      })
      expect(writer.counters()).toEqual([
        { ...emptyCounter('a', 'logs'), accepted: 1 },
        { ...emptyCounter('b', 'logs'), accepted: 5, deduplicated: 1, rows: 1 },
      ])
    })

    it('weighs what waits behind a position, without what was given up', () => {
      commit(() => {
        for (const text of ['a', 'b', 'c', 'd']) writer.insert(row(text))
        writer.insert(row('e', { tenant: 'globex', signal: 'logs', items: 5 }))
        writer.bury({ position: 3, tenant: 'acme', signal: 'traces', items: 3, reason: 'x', kept: false })
      })
      const reader = under.openReader()
      expect(reader.balanceAfter(1, 3)).toBeNull()
      expect(reader.balanceAfter(1, 4)?.waiting.toSorted((a, b) => a.items - b.items)).toEqual([
        { tenant: 'globex', signal: 'logs', items: 5 },
        { tenant: 'acme', signal: 'traces', items: 6 },
      ])
      reader.close()
    })

    it('remembers the newest requests since a time, oldest first, and forgets old ones', () => {
      commit(() => {
        for (let i = 1; i <= 4; i++)
          writer.remember({ hash: hash(i), receivedMs: i * 1_000, accepted: i, rejected: 0 })
      })
      const accepted = (fromMs: number, limit: number): readonly number[] =>
        [...writer.seenSince(fromMs, limit)].map(seen => seen.accepted)
      expect(accepted(2_000, 10)).toEqual([2, 3, 4])
      expect(accepted(0, 2)).toEqual([3, 4])
      commit(() => writer.forgetSeen(3_000))
      expect(accepted(0, 10)).toEqual([3, 4])
    })

    it('reads rows until enough bytes have come', () => {
      commit(() => ['aaaa', 'bbbb', 'cccc'].map(text => writer.insert(row(text))))
      const reader = under.openReader()
      expect(reader.read(1, 3, 5).map(stored => stored.position)).toEqual([1, 2])
      reader.close()
    })
  })
}
