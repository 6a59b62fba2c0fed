/** What `verify` finds, and what becomes of it in answers. */

export interface Finding {
  /** `segment`, `segment header`, `rollup`, `template`, `books`, `database`, `inbox row`, ... */
  readonly what: string
  /** Which one: an id, a position, a file. */
  readonly name: string
  /** Lower case, one clause. */
  readonly problem: string
  /** Items that are lost or cannot be served; 0 where it is not known or none are. */
  readonly items: number
  /** What a server makes of it. */
  readonly served: string
}

/** Findings are listed up to this many; beyond it they are counted. */
const maxListed = 1_000

/** Gathers findings in the order in which they are met. */
export class Findings {
  readonly listed: Finding[] = []
  count = 0

  add(finding: Finding): void {
    this.count++
    if (this.listed.length < maxListed) this.listed.push(finding)
  }
}

/** Called after every segment, page of rollups and batch of rows; `bytes` since the start. */
export type VerifyProgress = (stage: string, done: number, total: number | null, bytes: number) => void
