/** The part of a deadline that plain computing needs: something to ask every now and then. */
import type { Deadline } from '../../model/reader.ts'

export type Patience = Pick<Deadline, 'check'>

/** For callers with all the time in the world. */
export const endless: Patience = { check: () => undefined }

/** Items between two looks at the clock: a millisecond or so of work on each, a nanosecond or so for the look. */
export const stride = 64

/** The same items, with a look at the clock before the first and after every few. */
export function* paced<T>(items: Iterable<T>, patience: Patience): Generator<T> {
  let left = 0
  for (const item of items) {
    if (left === 0) {
      patience.check()
      left = stride
    }
    left--
    yield item
  }
}
