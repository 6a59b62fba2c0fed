/**
 * Who fills a bound up, in little memory: the counters of "Efficient Computation of Frequent and Top-k Elements in
 * Data Streams" (Metwally, Agrawal, El Abbadi, 2005). A name that is over represented is never missed; counts may be
 * too high, by as much as the smallest one.
 */
import type { Offender } from '../model/overflow.ts'

const maxNames = 16
const maxNameLength = 100

class Offenders {
  readonly #counts = new Map<string, number>()

  note(name: string): void {
    const short = name.slice(0, maxNameLength)
    const known = this.#counts.get(short)
    if (known !== undefined) this.#counts.set(short, known + 1)
    else if (this.#counts.size < maxNames) this.#counts.set(short, 1)
    else this.#replaceSmallest(short)
  }

  /** The worst first, ties by name. */
  top(count: number): readonly Offender[] {
    return [...this.#counts]
      .map(([name, times]) => ({ name, count: times }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, count)
  }

  #replaceSmallest(name: string): void {
    let smallest = ''
    let count = Number.POSITIVE_INFINITY
    for (const [known, times] of this.#counts)
      if (times < count) {
        smallest = known
        count = times
      }
    this.#counts.delete(smallest)
    this.#counts.set(name, count + 1)
  }
}

/** The offenders of every bound of one tenant. */
export class OffenderTable {
  readonly #kinds = new Map<string, Offenders>()

  note(kind: string, name: string): void {
    const known = this.#kinds.get(kind) ?? new Offenders()
    this.#kinds.set(kind, known)
    known.note(name)
  }

  top(kind: string, count: number): readonly Offender[] {
    return this.#kinds.get(kind)?.top(count) ?? []
  }
}

/** A name by what it has in common with others of its kind: runs of digits, and of hex digits, are `*`. */
export function kindOfName(name: string): string {
  return name.slice(0, 4 * maxNameLength).replace(/[0-9a-f]*\d[0-9a-f]*/gi, '*')
}
