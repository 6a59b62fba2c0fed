/** Work that stops on the way, to say how much it was since; who runs it may do something else meanwhile. */
export type Pieces<T> = Generator<number, T>

/** Does all of it at once. */
export function finish<T>(pieces: Pieces<T>): T {
  for (;;) {
    const { done, value } = pieces.next()
    if (done === true) return value
  }
}
