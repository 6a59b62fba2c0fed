/** Requests that will be committed together, and what each will be told. */
import type { IngestResult } from '../../model/ingest.ts'
import { emptyCounter, type InboxCounter, rowSize } from './inbox-counter.ts'
import type { InboxWriter } from './inbox-storage.ts'
import type { IncomingRequest, Prepared, PreparedEntry } from './intake.ts'
import type { SeenVerdict } from './seen-table.ts'

export interface Answer {
  readonly id: number
  readonly result: IngestResult
}

export interface CommittedEntry extends PreparedEntry {
  readonly position: number
}

interface Member {
  readonly request: IncomingRequest
  readonly prepared: Prepared
  /** Null for a request that could not be told from another event. */
  readonly hash: Uint8Array | null
}

interface Repeated {
  readonly request: IncomingRequest
  readonly verdict: SeenVerdict
}

export class CommitGroup {
  readonly #members: Member[] = []
  readonly #repeated: Repeated[] = []
  /** By hash as hex: what is already in this group and will be remembered with it. */
  readonly #hashes = new Map<string, SeenVerdict>()
  /** Decompressed bytes held until the commit. */
  bytes = 0
  /** When the first request joined, milliseconds of a clock that never goes back. */
  startedMs = 0

  get size(): number {
    return this.#members.length + this.#repeated.length
  }

  pending(hash: Uint8Array): SeenVerdict | null {
    return this.#hashes.get(Buffer.from(hash).toString('hex')) ?? null
  }

  add(request: IncomingRequest, prepared: Prepared, hash: Uint8Array): void {
    const recognisable = prepared.timed && prepared.entries.length > 0
    this.#members.push({ request, prepared, hash: recognisable ? hash : null })
    if (recognisable) this.#hashes.set(Buffer.from(hash).toString('hex'), prepared)
  }

  /** A request whose items are stored already, or will be by this very commit. */
  addRepeated(request: IncomingRequest, verdict: SeenVerdict): void {
    this.#repeated.push({ request, verdict })
  }

  /** Writes everything into the open transaction of `file`; returns the entries with their positions. */
  write(file: InboxWriter): readonly CommittedEntry[] {
    const entries: CommittedEntry[] = []
    for (const { request, prepared, hash } of this.#members) {
      for (const entry of prepared.entries) entries.push({ ...entry, position: file.insert(entry.row) })
      if (hash !== null) {
        file.remember({
          hash,
          receivedMs: request.receivedAtMs,
          accepted: prepared.accepted,
          rejected: prepared.rejected,
        })
      }
    }
    for (const added of this.counters()) file.count(added)
    return entries
  }

  /** What this group adds to the figures of each tenant and signal. */
  counters(): readonly InboxCounter[] {
    const sums = new Map<string, InboxCounter>()
    const sumOf = (tenant: string, signal: InboxCounter['signal']): InboxCounter =>
      sums.get(`${signal} ${tenant}`) ?? emptyCounter(tenant, signal)
    for (const { prepared } of this.#members) {
      for (const { row } of prepared.entries) {
        const sum = sumOf(row.tenant, row.signal)
        sums.set(`${row.signal} ${row.tenant}`, {
          ...sum,
          accepted: sum.accepted + row.items,
          rows: sum.rows + 1,
          items: sum.items + row.items,
          bytes: sum.bytes + rowSize(row.body.length),
        })
      }
    }
    for (const { request, verdict } of this.#repeated) {
      const sum = sumOf(request.tenant, request.signal)
      sums.set(`${request.signal} ${request.tenant}`, {
        ...sum,
        accepted: sum.accepted + verdict.accepted,
        deduplicated: sum.deduplicated + verdict.accepted,
      })
    }
    return [...sums.values()]
  }

  /** Hashes to remember once the commit is done. */
  *remembered(): Generator<{ hash: Uint8Array; receivedMs: number; verdict: SeenVerdict }> {
    for (const { request, prepared, hash } of this.#members) {
      if (hash !== null) yield { hash, receivedMs: request.receivedAtMs, verdict: prepared }
    }
  }

  /** Answers after a successful commit. */
  accepted(): readonly Answer[] {
    const answers: Answer[] = []
    for (const { request, prepared } of this.#members) {
      const { accepted, rejected, message } = prepared
      answers.push({
        id: request.id,
        result: { outcome: 'accepted', accepted, rejected, message, duplicate: false },
      })
    }
    for (const { request, verdict } of this.#repeated) {
      const { accepted, rejected } = verdict
      const message = rejected === 0 ? '' : `${rejected} refused when this request was first received`
      answers.push({
        id: request.id,
        result: { outcome: 'accepted', accepted, rejected, message, duplicate: true },
      })
    }
    return answers
  }

  /** The same answer for all of them, after a failed commit. */
  answerAll(result: IngestResult): readonly Answer[] {
    return [...this.#members, ...this.#repeated].map(({ request }) => ({ id: request.id, result }))
  }
}
