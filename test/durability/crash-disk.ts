/**
 * What a disk may hold after power is lost: everything that was synced, and of what was not, nothing, a beginning,
 * any part in any order, or torn sectors. Files are independent of each other; names follow the order in which they
 * were made and removed, and a synced file has its name.
 */
import type { SeededChoice } from '../seeded-choice.ts'
import type { FileEvent } from './write-trace.ts'

/** A disk writes sectors whole; a page of a database is many of them. */
const sectorBytes = 512

type Change = Extract<FileEvent, { type: 'write' | 'truncate' }>

/** A file in memory: changed in place, because an image of a run is thousands of writes to the same few files. */
class Content {
  #bytes: Buffer
  #length: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes
    this.#length = bytes.length
  }

  /** A copy of its own. */
  copy(): Content {
    return new Content(Buffer.from(this.bytes))
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  apply(change: Change): void {
    if (change.type === 'truncate') this.#resize(change.length)
    else this.write(change.offset, change.bytes)
  }

  write(offset: number, bytes: Buffer): void {
    this.#resize(Math.max(this.#length, offset + bytes.length))
    bytes.copy(this.#bytes, offset)
  }

  #resize(length: number): void {
    // What lies behind the end reads as zeros when the file grows again.
    if (length < this.#length) this.#bytes.fill(0, length, this.#length)
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(2 * length)
      this.bytes.copy(larger)
      this.#bytes = larger
    }
    this.#length = length
  }
}

interface Inode {
  readonly durable: Content
  /** Done since the last sync began that has ended, oldest first. */
  pending: Change[]
}

interface NameChange {
  readonly file: string
  /** Null: removed. */
  readonly inode: Inode | null
}

export const crashKinds = ['dropped', 'begun', 'reordered', 'torn', 'kept'] as const
export type CrashKind = (typeof crashKinds)[number]

export class CrashDisk {
  /** In order; the first `#durableNames` of them are on disk. */
  readonly #names: NameChange[] = []
  #durableNames = 0
  readonly #open = new Map<string, Inode>()
  /** By thread: the file being synced and how many of its changes that covers. */
  readonly #syncs = new Map<string, { readonly inode: Inode; readonly covered: readonly Change[] }>()

  apply(event: FileEvent): void {
    switch (event.type) {
      case 'create':
        this.#create(event.file)
        return
      case 'unlink':
        this.#open.delete(event.file)
        this.#names.push({ file: event.file, inode: null })
        return
      case 'write':
      case 'truncate':
        this.#inodeOf(event.file).pending.push(event)
        return
      case 'sync begins': {
        const inode = this.#inodeOf(event.file)
        this.#syncs.set(event.thread, { inode, covered: [...inode.pending] })
        return
      }
      case 'sync ends':
        this.#endSync(event.thread)
        return
      case 'sync fails':
        this.#failSync(event.thread)
        return
      case 'note':
        return
      default:
        event satisfies never
    }
  }

  /** Contents by name. */
  image(kind: CrashKind, choice: SeededChoice): ReadonlyMap<string, Buffer> {
    const rest = this.#names.length - this.#durableNames
    const kept = kind === 'kept' ? rest : kind === 'dropped' ? 0 : choice.below(rest + 1)
    const files = new Map<string, Inode>()
    for (const { file, inode } of this.#names.slice(0, this.#durableNames + kept)) {
      if (inode === null) files.delete(file)
      else files.set(file, inode)
    }
    return new Map([...files].map(([file, inode]) => [file, contentOf(inode, kind, choice)]))
  }

  #create(file: string): Inode {
    const inode: Inode = { durable: new Content(), pending: [] }
    this.#open.set(file, inode)
    this.#names.push({ file, inode })
    return inode
  }

  #inodeOf(file: string): Inode {
    return this.#open.get(file) ?? this.#create(file)
  }

  /** Linux forgets what it could not write: a later sync of the same file succeeds and does not bring it back. */
  #failSync(thread: string): void {
    const sync = this.#syncs.get(thread)
    if (sync === undefined) return
    this.#syncs.delete(thread)
    sync.inode.pending = sync.inode.pending.filter(change => !sync.covered.includes(change))
  }

  #endSync(thread: string): void {
    const sync = this.#syncs.get(thread)
    if (sync === undefined) return
    this.#syncs.delete(thread)
    const { inode, covered } = sync
    for (const change of covered) inode.durable.apply(change)
    inode.pending = inode.pending.filter(change => !covered.includes(change))
    // A file system that writes a synced file writes the names up to its own with it.
    const named = this.#names.findIndex(name => name.inode === inode)
    this.#durableNames = Math.max(this.#durableNames, named + 1)
  }
}

function contentOf(inode: Inode, kind: CrashKind, choice: SeededChoice): Buffer {
  const { pending } = inode
  const content = inode.durable.copy()
  switch (kind) {
    case 'dropped':
      break
    case 'kept':
      for (const change of pending) content.apply(change)
      break
    case 'begun': {
      const count = choice.below(pending.length + 1)
      for (const change of pending.slice(0, count)) content.apply(change)
      break
    }
    case 'reordered':
      for (const change of pending) if (choice.chance(0.5)) content.apply(change)
      break
    case 'torn':
      for (const change of pending) if (choice.chance(0.7)) tear(content, change, choice)
      break
    default:
      kind satisfies never
  }
  return content.bytes
}

/** Some of the sectors that the change touches. */
function tear(content: Content, change: Change, choice: SeededChoice): void {
  if (change.type === 'truncate') {
    content.apply(change)
    return
  }
  const end = change.offset + change.bytes.length
  for (let from = change.offset; from < end; ) {
    const to = Math.min(end, (Math.floor(from / sectorBytes) + 1) * sectorBytes)
    const bytes = change.bytes.subarray(from - change.offset, to - change.offset)
    if (choice.chance(0.6)) content.write(from, bytes)
    from = to
  }
}
