/**
 * Has memory given back that lies outside of V8's heap. V8 does not count shared buffers as anybody's, so a thread
 * that makes little garbage of its own, such as an idle reader, would hold on to gigabytes of them that nobody needs.
 * Other buffers it does count, and answers with full collections what a young one would have freed.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A collection of this thread: of what is young, or of everything. */
export type Collect = (type: 'minor' | 'major') => void

export class SharedGarbage {
  readonly #type: 'minor' | 'major'
  readonly #everyBytes: number
  readonly #collect: Collect
  #bytes = 0

  /** `minor` is enough where buffers are let go of as soon as they were passed on. */
  constructor(type: 'minor' | 'major', everyBytes: number, collect: Collect = systemCollect()) {
    this.#type = type
    this.#everyBytes = everyBytes
    this.#collect = collect
  }

  /** So many bytes of such memory came to this thread; as many are let go of sooner or later. */
  passed(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < this.#everyBytes) return
    this.#bytes = 0
    this.#collect(this.#type)
  }
}

/** V8's own function, which only contexts made under this flag have. */
function systemCollect(): Collect {
  let collect: ((options: { readonly type: 'minor' | 'major' }) => void) | null = null
  return type => {
    if (collect === null) {
      setFlagsFromString('--expose-gc')
      collect = runInNewContext('gc')
    }
    collect?.({ type })
  }
}
