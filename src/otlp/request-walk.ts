/**
 * Walks an export request down to its items. The three signals share the shape: groups by resource (field 1 of
 * the request), in them groups by scope, in those the items, always field 2; field 1 is the resource or scope
 * and field 3 the schema URL, which may come after the items.
 */
import { InvalidInputError } from '../errors.ts'
import type { ResourceEntry, ScopeEntry } from '../model/telemetry.ts'
import { maxItemsPerRequest } from './decode-context.ts'
import { type Made, makeResourceEntry, makeScopeEntry } from './resource-entry.ts'
import type { ByteTableLimits } from './wire/byte-table.ts'
import { ByteWriter } from './wire/byte-writer.ts'
import { BatchList, ValueCache } from './wire/interner.ts'
import { cursor, readLength, readTag, skipValue } from './wire/varint.ts'

/**
 * Resources kept from one batch to the next, half a kilobyte each: as many as there are processes behind collectors of
 * a thousand services with some instances each. One that is met anew is not only read again: it crosses
 * to the engine again, and is another one to whatever knows resources by what they are.
 */
const resourceLimits: ByteTableLimits = { entries: 4096, arenaBytes: 2_097_152 }
/** The same of instrumentations. */
const scopeLimits: ByteTableLimits = { entries: 512, arenaBytes: 262_144 }

export interface GroupVisitor {
  /** One item, or Metric: the message `bytes[from, to)`, and its resource and scope in the lists of the walk. */
  item(from: number, to: number, resource: number, scope: number): void
}

/** Resources and scopes of one request; one walk a thread and decoder, used again. */
export class RequestWalk {
  #limit = -1
  #resourceCache: ValueCache<Made<ResourceEntry>> = new ValueCache(resourceLimits, (bytes, from, to) =>
    makeResourceEntry(bytes.subarray(from, to), 0),
  )
  #scopeCache: ValueCache<Made<ScopeEntry>> = new ValueCache(scopeLimits, (bytes, from, to) =>
    makeScopeEntry(bytes.subarray(from, to), 0),
  )
  #resources = new BatchList<ResourceEntry>()
  #scopes = new BatchList<ScopeEntry>()
  readonly #header = new ByteWriter()
  /** Resources or scopes of which an attribute value was cut. */
  truncated = 0

  get resources(): readonly ResourceEntry[] {
    return this.#resources.values
  }

  get scopes(): readonly ScopeEntry[] {
    return this.#scopes.values
  }

  /** Visits every item (of metrics: every Metric). Groups without items leave no entry. */
  walk(bytes: Uint8Array, attributeMaxBytes: number, visitor: GroupVisitor): void {
    this.#begin(attributeMaxBytes)
    forEachMessage(bytes, 0, bytes.length, 0x0a, (from, to) => this.#resourceGroup(bytes, from, to, visitor))
  }

  #begin(limit: number): void {
    this.#resources = new BatchList()
    this.#scopes = new BatchList()
    this.truncated = 0
    if (limit !== this.#limit) {
      this.#limit = limit
      this.#resourceCache = new ValueCache(resourceLimits, (b, from, to) =>
        makeResourceEntry(b.subarray(from, to), limit),
      )
      this.#scopeCache = new ValueCache(scopeLimits, (b, from, to) =>
        makeScopeEntry(b.subarray(from, to), limit),
      )
    }
    this.#resourceCache.trim()
    this.#scopeCache.trim()
  }

  #resourceGroup(bytes: Uint8Array, from: number, to: number, visitor: GroupVisitor): void {
    const resource = this.#entry(this.#resourceCache, this.#resources, bytes, from, to)
    forEachMessage(bytes, from, to, 0x12, (scopeFrom, scopeTo) => {
      const scope = this.#entry(this.#scopeCache, this.#scopes, bytes, scopeFrom, scopeTo)
      forEachMessage(bytes, scopeFrom, scopeTo, 0x12, (itemFrom, itemTo) =>
        visitor.item(itemFrom, itemTo, resource(), scope()),
      )
    })
  }

  /** The number of the group's entry, given when its first item asks for it. */
  #entry<T>(
    cache: ValueCache<Made<T>>,
    list: BatchList<T>,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): () => number {
    const { header, start, end } = this.#headerOf(bytes, from, to)
    const made = cache.get(header, start, end)
    let number = -1
    return () => {
      if (number < 0) {
        number = list.numberOf(made.entry)
        if (made.truncated) this.truncated++
      }
      return number
    }
  }

  /**
   * The fields that are no items: where they stand, which is mostly in one place before all items, else a copy that
   * holds until the next call.
   */
  #headerOf(bytes: Uint8Array, from: number, to: number): Header {
    let start = -1
    let end = -1
    for (let pos = from; pos < to; ) {
      const at = pos
      const tag = readTag(bytes, pos, to)
      pos = skipValue(bytes, cursor.next, to, tag & 7)
      if (tag !== 0x0a && tag !== 0x1a) continue
      if (start < 0) start = at
      else if (at !== end) return this.#copiedHeader(bytes, from, to)
      end = pos
    }
    return start < 0 ? noHeader : { header: bytes, start, end }
  }

  #copiedHeader(bytes: Uint8Array, from: number, to: number): Header {
    this.#header.reset()
    for (let pos = from; pos < to; ) {
      const start = pos
      const tag = readTag(bytes, pos, to)
      pos = skipValue(bytes, cursor.next, to, tag & 7)
      if (tag === 0x0a || tag === 0x1a) this.#header.raw(bytes, start, pos)
    }
    return { header: this.#header.view(), start: 0, end: this.#header.length }
  }
}

interface Header {
  readonly header: Uint8Array
  readonly start: number
  readonly end: number
}

const noHeader: Header = { header: new Uint8Array(0), start: 0, end: 0 }

/** Calls `visit` with the range of every length-delimited field that has this tag. */
export function forEachMessage(
  bytes: Uint8Array,
  from: number,
  to: number,
  wanted: number,
  visit: (from: number, to: number) => void,
): void {
  for (let pos = from; pos < to; ) {
    if (bytes[pos] !== wanted) {
      const tag = readTag(bytes, pos, to)
      if (tag !== wanted) {
        pos = skipValue(bytes, cursor.next, to, tag & 7)
        continue
      }
      cursor.next--
    } else cursor.next = pos
    // Lengths of one and two bytes, read here; whatever else there is, and what is wrong, by `readLength`.
    const first = bytes[cursor.next + 1] ?? 0
    const second = bytes[cursor.next + 2] ?? 0
    let start = cursor.next + (first < 0x80 ? 2 : 3)
    let length = first < 0x80 ? first : (first & 0x7f) | (second << 7)
    if ((first >= 0x80 && second >= 0x80) || start + length > to) {
      length = readLength(bytes, cursor.next + 1, to)
      start = cursor.next
    }
    pos = start + length
    visit(start, pos)
  }
}

/** Number of items of a request of spans or log records; throws `too_large` above the limit. */
export function countItems(bytes: Uint8Array): number {
  let items = 0
  forEachMessage(bytes, 0, bytes.length, 0x0a, (groupFrom, groupTo) =>
    forEachMessage(bytes, groupFrom, groupTo, 0x12, (scopeFrom, scopeTo) =>
      forEachMessage(bytes, scopeFrom, scopeTo, 0x12, () => {
        items++
      }),
    ),
  )
  return checkItemCount(items)
}

export function checkItemCount(items: number): number {
  if (items > maxItemsPerRequest) {
    throw new InvalidInputError(
      'too_large',
      `request has ${items} items, the limit is ${maxItemsPerRequest}; send smaller batches`,
    )
  }
  return items
}
