/**
 * Has memory given back that lies outside of V8's heap and dies young, such as pieces of bodies and columns. V8
 * answers such memory with full collections where one of what is young would have freed it.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A collection of what is young in this thread. */
export type Collect = () => void

export class YoungGarbage {
  readonly #everyBytes: number
  readonly #collect: Collect
  #bytes = 0

  constructor(everyBytes: number, collect: Collect = systemCollect()) {
    this.#everyBytes = everyBytes
    this.#collect = collect
  }

  /** So many bytes of such memory came to this thread; as many are let go of sooner or later. */
  passed(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < this.#everyBytes) return
    this.#bytes = 0
    this.#collect()
  }
}

/** A collection of everything in this thread, some tens of milliseconds. */
export const collectAll: Collect = systemCollect('major')

/** V8's own function, which only contexts made under this flag have. */
function systemCollect(type: 'minor' | 'major' = 'minor'): Collect {
  let collect: ((options: { readonly type: 'minor' | 'major' }) => void) | null = null
  return () => {
    if (collect === null) {
      setFlagsFromString('--expose-gc')
      collect = runInNewContext('gc')
    }
    collect?.({ type })
  }
}
