/** Requests lie in memory that is used again; whoever may still look at one must find it as it was. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CommittedEntry } from '../../../src/engine/inbox/commit-group.ts'
import { Handover } from '../../../src/engine/inbox/handover.ts'
import type { CommittedMessage } from '../../../src/engine/inbox/inbox-messages.ts'
import { TailWindow } from '../../../src/engine/sealing/tail-window.ts'
import { SlabPool } from '../../../src/engine/slab-pool.ts'
import type { TailEntry, TailMessage } from '../../../src/model/tail.ts'
import { Tail, type TailPin, type TailView } from '../../../src/query/tail.ts'

const inboxId = 'one'

function committed(position: number, length: number): CommittedEntry {
  const bytes = new Uint8Array(length).fill(position % 251)
  const row = {
    tenant: 'default',
    signal: 'traces',
    receivedMs: position,
    encoding: 'protobuf',
    compression: 'none',
    rawBytes: length,
    items: 1,
    refusals: [],
    body: bytes,
  } as const
  return { position, row, bytes, refused: new Uint32Array(0), columns: null }
}

interface Reader {
  readonly tail: Tail
  readonly inbox: TailMessage[]
  /** What this reader says and the engine has not heard yet. */
  readonly outbox: number[]
  reads: { readonly pin: TailPin; readonly view: TailView }[]
}

/** Inbox and engine without their work, and two readers; messages arrive when a step says so. */
class System {
  readonly messages: CommittedMessage[] = []
  readonly readers: readonly Reader[]
  readonly handover: Handover
  readonly window: TailWindow
  readonly #ports: readonly { postMessage(message: TailMessage): void }[]
  #position = 0
  #published = 0
  #sealed = 0
  handed = 0
  told = 0

  constructor(limitBytes: number) {
    this.handover = new Handover(
      { postMessage: message => this.messages.push(message) },
      0,
      new SlabPool(limitBytes, 64),
    )
    this.window = new TailWindow(inboxId, 0, position => {
      this.handover.released(position)
      this.told = position
    })
    this.readers = [0, 1].map(() => {
      const outbox: number[] = []
      return { tail: new Tail('', position => outbox.push(position)), inbox: [], outbox, reads: [] }
    })
    this.#ports = this.readers.map(({ inbox }) => ({ postMessage: message => void inbox.push(message) }))
    for (const port of this.#ports) this.window.subscribe(port)
  }

  commit(lengths: readonly number[]): void {
    const entries = lengths.map(length => committed(++this.#position, length))
    this.handover.offer({ from: this.#position - entries.length + 1, to: this.#position, entries })
  }

  publish(): void {
    const entries: TailEntry[] = []
    for (const { buffer, entries: handed } of this.messages.splice(0)) {
      if (buffer === null) continue
      for (const { position, offset, length } of handed) {
        this.handed++
        const bytes = new Uint8Array(buffer, offset, length)
        const refused = new Uint32Array(0)
        const own = { position, tenant: 'default', signal: 'traces', receivedMs: position } as const
        entries.push({ ...own, bytes, refused, templates: null })
      }
    }
    if (this.#position === this.#published) return
    const from = this.#published + 1
    this.#published = this.#position
    const ranges = { from, to: this.#position, timeMs: 0, rollupsFrom: from, rollups: [], templates: [] }
    this.window.publish({ type: 'publication', inboxId, entries, ...ranges })
  }

  seal(): void {
    this.#sealed = this.#published
    this.window.sealed(this.#sealed)
  }

  hear(reader: Reader, at: number): void {
    for (const message of reader.inbox.splice(0)) reader.tail.accept(message)
    const port = this.#ports[at]
    if (port !== undefined)
      for (const position of reader.outbox.splice(0)) this.window.released(port, position)
  }

  leave(at: number): void {
    const port = this.#ports[at]
    if (port !== undefined) this.window.unsubscribe(port)
  }

  read(reader: Reader): void {
    const pin = reader.tail.pin()
    reader.reads.push({ pin, view: pin.take(this.told) })
  }

  endRead(reader: Reader): void {
    reader.reads.shift()?.pin.release()
  }

  /** Positions whose bytes are not what was committed, as a read under way sees them. */
  overwritten(): readonly number[] {
    const entries = this.readers.flatMap(({ reads }) => reads.flatMap(({ view }) => view.entries))
    return entries
      .filter(({ position, bytes }) => bytes.some(byte => byte !== position % 251))
      .map(({ position }) => position)
  }
}

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('commit'),
      lengths: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('publish', 'seal') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('hear', 'hear', 'read', 'end read'),
      reader: fc.integer({ min: 0, max: 1 }),
    }),
  },
)

function take(system: System, one: typeof step extends fc.Arbitrary<infer S> ? S : never): void {
  if ('lengths' in one) system.commit(one.lengths)
  else if ('reader' in one) {
    const reader = system.readers[one.reader]
    if (reader === undefined) throw new Error('there are two readers')
    if (one.type === 'hear') system.hear(reader, one.reader)
    else if (one.type === 'read') system.read(reader)
    else system.endRead(reader)
  } else if (one.type === 'publish') system.publish()
  else system.seal()
}

describe('memory of requests', () => {
  it('holds what a read under way may look at, whatever is committed meanwhile', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 200, size: 'max' }), steps => {
        const system = new System(512)
        for (const one of steps) {
          take(system, one)
          expect(system.overwritten()).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is used again for ever once reads have ended', () => {
    const system = new System(512)
    for (let round = 0; round < 100; round++) {
      system.commit([60, 60, 60])
      system.publish()
      for (const [at, reader] of system.readers.entries()) {
        system.hear(reader, at)
        system.read(reader)
      }
      system.seal()
      for (const [at, reader] of system.readers.entries()) {
        system.endRead(reader)
        system.hear(reader, at)
      }
    }
    expect(system.handed).toBe(300)
    expect(system.told).toBe(300)
  })

  it('is held by one read that does not end, until it does', () => {
    const system = new System(512)
    const [first, second] = system.readers
    if (first === undefined || second === undefined) throw new Error('there are two readers')
    const round = (): void => {
      system.commit([60])
      system.publish()
      system.hear(first, 0)
      system.hear(second, 1)
    }
    round()
    system.read(first)
    for (let more = 0; more < 20; more++) {
      round()
      system.seal()
    }
    expect(system.told).toBe(0)
    // What found no room was announced and would be read from the file.
    expect(system.handed).toBe(8)
    system.endRead(first)
    system.hear(first, 0)
    system.hear(second, 1)
    expect(system.told).toBe(21)
    round()
    expect(system.handed).toBe(9)
  })

  it('is not held by a thread that is gone', () => {
    const system = new System(512)
    system.commit([60])
    system.publish()
    system.seal()
    expect(system.told).toBe(0)
    for (const at of [0, 1]) system.leave(at)
    expect(system.told).toBe(1)
  })
})
