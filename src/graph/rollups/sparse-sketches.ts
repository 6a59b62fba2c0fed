/** Latency sketches of many series in two arrays: buckets that were counted, ascending, and how often. */
import { bucketValueMs } from './sketch.ts'

/** Buckets a series begins with room for. */
const firstRoom = 4

export class SparseSketches {
  #buckets = new Uint16Array(1024)
  #counts = new Float64Array(1024)
  /** Behind the last place in use, and places that were given up when a series needed more. */
  #end = 0
  #lost = 0
  /** By series: first place, buckets in use, places there are. */
  #from = new Uint32Array(256)
  #used = new Uint16Array(256)
  #room = new Uint16Array(256)

  get bytes(): number {
    return this.#buckets.length * 10 + this.#from.length * 8
  }

  /** Adds to a bucket; `count` may be negative. */
  add(series: number, bucket: number, count: number): void {
    if (series >= this.#from.length) this.#widenSeries(series)
    const from = this.#from[series] as number
    const end = from + (this.#used[series] as number)
    let at = end
    while (at > from && (this.#buckets[at - 1] as number) >= bucket) at--
    if (at < end && this.#buckets[at] === bucket) this.#counts[at] = (this.#counts[at] as number) + count
    else this.#insert(series, at - from, bucket, count)
  }

  /** Duration quantile, milliseconds; NaN without data. Negative counts are taken as none. */
  quantile(series: number, q: number): number {
    const from = this.#from[series] ?? 0
    const end = from + (this.#used[series] ?? 0)
    let total = 0
    for (let at = from; at < end; at++) total += Math.max(0, this.#counts[at] as number)
    if (total <= 0) return Number.NaN
    const rank = Math.min(1, Math.max(0, q)) * (total - 1)
    let seen = 0
    for (let at = from; at < end; at++) {
      seen += Math.max(0, this.#counts[at] as number)
      if (seen > rank) return bucketValueMs(this.#buckets[at] as number)
    }
    return Number.NaN
  }

  /** Counts in buckets above one. */
  countAbove(series: number, bucket: number): number {
    const from = this.#from[series] ?? 0
    let above = 0
    for (let at = from + (this.#used[series] ?? 0) - 1; at >= from; at--) {
      if ((this.#buckets[at] as number) <= bucket) break
      above += this.#counts[at] as number
    }
    return above
  }

  /** The highest bucket with a count, -1 without. */
  highest(series: number): number {
    const from = this.#from[series] ?? 0
    for (let at = from + (this.#used[series] ?? 0) - 1; at >= from; at--)
      if ((this.#counts[at] as number) > 0) return this.#buckets[at] as number
    return -1
  }

  #insert(series: number, offset: number, bucket: number, count: number): void {
    const used = this.#used[series] as number
    if (used === this.#room[series]) {
      this.#makeRoom(series)
      this.add(series, bucket, count)
      return
    }
    const at = (this.#from[series] as number) + offset
    const end = (this.#from[series] as number) + used
    this.#buckets.copyWithin(at + 1, at, end)
    this.#counts.copyWithin(at + 1, at, end)
    this.#buckets[at] = bucket
    this.#counts[at] = count
    this.#used[series] = used + 1
  }

  /** Drops buckets that have become zero; where there are none, moves the series to the end with twice the room. */
  #makeRoom(series: number): void {
    const used = this.#used[series] as number
    if (this.#dropZeros(series) < used) return
    const room = Math.max(firstRoom, used * 2)
    if (this.#end + room > this.#buckets.length) {
      // Half of it given up: as much again fits after moving together.
      if (this.#lost * 2 > this.#end && room < this.#lost) this.#moveTogether()
      else this.#widen(this.#end + room)
    }
    const from = this.#from[series] as number
    this.#buckets.copyWithin(this.#end, from, from + used)
    this.#counts.copyWithin(this.#end, from, from + used)
    this.#lost += this.#room[series] as number
    this.#from[series] = this.#end
    this.#room[series] = room
    this.#end += room
  }

  #dropZeros(series: number): number {
    const from = this.#from[series] as number
    const end = from + (this.#used[series] as number)
    let to = from
    for (let at = from; at < end; at++) {
      if (this.#counts[at] === 0) continue
      this.#buckets[to] = this.#buckets[at] as number
      this.#counts[to++] = this.#counts[at] as number
    }
    this.#used[series] = to - from
    return to - from
  }

  #moveTogether(): void {
    const order = Uint32Array.from(this.#from, (_, series) => series)
    order.sort((a, b) => (this.#from[a] as number) - (this.#from[b] as number))
    let to = 0
    for (const series of order) {
      const from = this.#from[series] as number
      const room = this.#room[series] as number
      if (room === 0) continue
      this.#buckets.copyWithin(to, from, from + room)
      this.#counts.copyWithin(to, from, from + room)
      this.#from[series] = to
      to += room
    }
    this.#end = to
    this.#lost = 0
  }

  #widen(least: number): void {
    const length = Math.max(least, this.#buckets.length * 2)
    const buckets = new Uint16Array(length)
    const counts = new Float64Array(length)
    buckets.set(this.#buckets)
    counts.set(this.#counts)
    this.#buckets = buckets
    this.#counts = counts
  }

  #widenSeries(series: number): void {
    const length = Math.max(series + 1, this.#from.length * 2)
    const from = new Uint32Array(length)
    const used = new Uint16Array(length)
    const room = new Uint16Array(length)
    from.set(this.#from)
    used.set(this.#used)
    room.set(this.#room)
    this.#from = from
    this.#used = used
    this.#room = room
  }
}
