/**
 * What the engine has published and the store may not hold yet, as one query worker knows it.
 *
 * Reads pin it before they open their snapshot: what is forgotten after that is still theirs, and what was
 * forgotten before lies at or below the position every later snapshot contains.
 */
import { unpackPublication } from '../model/packed-tail.ts'
import type { RollupRecord, TemplateRecord } from '../model/store.ts'
import type { TailEntry, TailMessage, TailPublication } from '../model/tail.ts'

/** The published data behind a position, without gaps. */
export interface TailView {
  /** Everything up to here is in this view or at or below the position asked for. */
  readonly position: number
  readonly entries: readonly TailEntry[]
  readonly rollups: readonly RollupRecord[]
  readonly templates: readonly TemplateRecord[]
  /** Positions known to exist beyond `position`, not readable because some between them are missing. */
  readonly missingPositions: number
  /** Receive time of the newest position published, milliseconds; 0 when nothing was. */
  readonly newestMs: number
  /**
   * Positions whose items are here but whose rollups are not: those count entries at or below the position
   * asked for as well, and cannot be told apart. 0 as long as seals end where what rollups count does.
   */
  readonly positionsWithoutRollups: number
}

export interface TailPin {
  /** What lies behind `position`, which a snapshot opened after the pin contains. */
  take(position: number): TailView
  /** Nothing of what was taken may be looked at any more. */
  release(): void
}

export class Tail {
  /** Consecutive, oldest first; replaced and never changed, so that pins can hold on to it. */
  #publications: readonly TailPublication[] = []
  #inboxId: string
  #sealed = 0
  #lostPositions = 0
  #overflowing: ReadonlySet<string> = new Set()
  /** Of every pin in use: the position behind which it may look. One a running call. */
  readonly #pinnedFrom = new Map<TailPin, number>()
  readonly #onReleased: (position: number) => void
  #releasedPosition = 0

  /** `inboxId` may be empty until the first message says it. `onReleased` hears up to where nothing is looked at. */
  constructor(inboxId = '', onReleased: (position: number) => void = () => undefined) {
    this.#inboxId = inboxId
    this.#onReleased = onReleased
  }

  get inboxId(): string {
    return this.#inboxId
  }

  /** Positions since the engine's start whose requests could not be read back. */
  get lostPositions(): number {
    return this.#lostPositions
  }

  /** Whether some of the tenant's names are counted as `_overflow` since the engine's start. */
  isOverflowing(tenant: string): boolean {
    return this.#overflowing.has(tenant)
  }

  /** Bytes of the requests held. */
  get byteLength(): number {
    let sum = 0
    for (const publication of this.#publications)
      for (const entry of publication.entries) sum += entry.bytes.length
    return sum
  }

  accept(message: TailMessage): void {
    if (message.inboxId !== this.#inboxId) {
      this.#inboxId = message.inboxId
      this.#publications = []
      this.#sealed = 0
      this.#releasedPosition = 0
      this.#pinnedFrom.clear()
    }
    if (message.type === 'packed') this.#append(unpackPublication(message))
    else if (message.type === 'publication') this.#append(message)
    else {
      this.#lostPositions = message.lostPositions ?? 0
      this.#overflowing = new Set(message.overflowing)
      this.#forget(message.position)
      this.#tellReleased()
    }
  }

  /** To be released, or the engine cannot use the memory of what it pins again. */
  pin(): TailPin {
    const pinned = this.#publications
    const pin: TailPin = {
      take: position => viewOf(this.#since(pinned), position),
      release: () => {
        if (this.#pinnedFrom.delete(pin)) this.#tellReleased()
      },
    }
    this.#pinnedFrom.set(pin, this.#sealed)
    return pin
  }

  #tellReleased(): void {
    const position = Math.min(this.#sealed, ...this.#pinnedFrom.values())
    if (position <= this.#releasedPosition) return
    this.#releasedPosition = position
    this.#onReleased(position)
  }

  #append(publication: TailPublication): void {
    if (publication.to <= this.#sealed) return
    const last = this.#publications.at(-1)
    // Told twice, as to a worker that was started while others were being told.
    if (last !== undefined && publication.to <= last.to) return
    this.#publications = [...this.#publications, publication]
  }

  #forget(position: number): void {
    this.#sealed = Math.max(this.#sealed, position)
    this.#publications = this.#publications.filter(publication => publication.to > position)
  }

  /** The pinned publications and those that came after them. */
  #since(pinned: readonly TailPublication[]): readonly TailPublication[] {
    const last = pinned.at(-1)?.to ?? -1
    return [...pinned, ...this.#publications.filter(publication => publication.to > last)]
  }
}

function viewOf(publications: readonly TailPublication[], sealed: number): TailView {
  const entries: TailEntry[] = []
  const rollups = new Map<number, readonly RollupRecord[]>()
  const templates: TemplateRecord[] = []
  let position = sealed
  let positionsWithoutRollups = 0
  for (const publication of publications) {
    if (publication.to <= position) continue
    if (publication.from > position + 1) break
    if (publication.rollupsFrom <= sealed) positionsWithoutRollups += publication.to - position
    else rollups.set(publication.rollupsFrom, publication.rollups)
    for (const entry of publication.entries) if (entry.position > position) entries.push(entry)
    templates.push(...publication.templates)
    position = publication.to
  }
  const newest = publications.at(-1)
  return {
    position,
    entries,
    rollups: [...rollups.values()].flat(),
    templates,
    missingPositions: Math.max(0, (newest?.to ?? 0) - position),
    newestMs: newest?.timeMs ?? 0,
    positionsWithoutRollups,
  }
}
