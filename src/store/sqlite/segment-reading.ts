/** Headers and parts of segments from a database that may be damaged in places. */
import type Database from 'better-sqlite3'
import { LRUCache } from 'lru-cache'
import { StoreError } from '../../errors.ts'
import type { SegmentHeader } from '../../model/store.ts'
import { checkPart } from '../part.ts'
import { headerColumns, headerOf, type SegmentRow } from '../rows/segment-row.ts'
import { corruptSegment } from '../segment/corrupt.ts'
import { isDamage, readAround } from './damage.ts'
import { prepared } from './prepared.ts'
import { isSound } from './row-checksum.ts'
import { partStride } from './schema.ts'

/** Headers per statement; at 300 bytes each about 2 ms. */
const headersPerRead = 2000

type CheckedRow = SegmentRow & { readonly crc: number }

export interface FoundHeaders {
  readonly headers: readonly SegmentHeader[]
  /** Rows whose checksum does not fit, and stretches that lie on damaged pages. */
  readonly damaged: number
}

/** Headers with sequences in (`after`, `last`]. */
export function readHeaders(
  db: Database.Database,
  after: number,
  last: number,
  signal?: AbortSignal,
): FoundHeaders {
  const headers: SegmentHeader[] = []
  let damaged = 0
  let reached = after
  const take = ({ crc, ...row }: CheckedRow): void => {
    reached = row.sequence
    if (isSound({ ...row, crc })) headers.push(headerOf(row))
    else damaged++
  }
  const page = prepared<[number, number], CheckedRow>(
    db,
    `SELECT ${headerColumns}, crc FROM segment WHERE sequence > ? ORDER BY sequence LIMIT ?`,
  )
  try {
    while (true) {
      signal?.throwIfAborted()
      const rows = page.all(reached, headersPerRead)
      for (const row of rows) take(row)
      if (rows.length < headersPerRead) return { headers, damaged }
    }
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  const some = db.prepare<[number, number], CheckedRow>(
    `SELECT ${headerColumns}, crc FROM segment WHERE sequence BETWEEN ? AND ? ORDER BY sequence`,
  )
  damaged += readAround(some, reached + 1, last, take)
  return { headers, damaged }
}

/** Throws StoreError `missing_segment`, `corrupt_segment`, `newer_format`. */
export function readParts(
  db: Database.Database,
  id: string,
  parts: readonly string[],
  signal?: AbortSignal,
): ReadonlyMap<string, Uint8Array> {
  try {
    const row = findSegment(db, id)
    if (row === undefined) throw new StoreError('missing_segment', `segment ${id} is not stored any more`)
    const places = placesOf(String(row.parts))
    const read = prepared<[number], { bytes: unknown }>(db, 'SELECT bytes FROM segment_part WHERE id = ?')
    const found = new Map<string, Uint8Array>()
    for (const name of parts) {
      const place = places.get(name)
      if (place === undefined) throw new StoreError('corrupt_segment', `segment ${id} has no part ${name}`)
      signal?.throwIfAborted()
      const bytes = read.get(row.sequence * partStride + place)?.bytes
      if (!(bytes instanceof Uint8Array))
        throw new StoreError('corrupt_segment', `segment ${id} lost its part ${name}`)
      checkPart(bytes)
      found.set(name, bytes)
    }
    return found
  } catch (error) {
    if (!isDamage(error)) throw error
    throw corruptSegment('it lies on a damaged page of the database', error)
  }
}

/** Segments of one signal and size have the same parts; 4 kB each. */
const maxLayouts = 500
const layouts = new LRUCache<string, ReadonlyMap<string, number>>({ max: maxLayouts })

/** Where parts stand, by name. */
function placesOf(parts: string): ReadonlyMap<string, number> {
  let places = layouts.get(parts)
  if (places === undefined) {
    places = new Map(parts.split(' ').map((name, place) => [name, place]))
    layouts.set(parts, places)
  }
  return places
}

interface PlacedSegment {
  readonly sequence: number
  readonly parts: string
}

/** By the index on ids, and where that does not know it, row by row: an index may be damaged as well. */
function findSegment(db: Database.Database, id: string): PlacedSegment | undefined {
  const find = (table: string): PlacedSegment | undefined =>
    prepared<[string], PlacedSegment>(db, `SELECT sequence, parts FROM ${table} WHERE id = ?`).get(id)
  try {
    return find('segment') ?? find('segment NOT INDEXED')
  } catch (error) {
    if (!isDamage(error)) throw error
    return find('segment NOT INDEXED')
  }
}
