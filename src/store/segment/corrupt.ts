import { StoreError } from '../../errors.ts'

/** What reading a damaged part throws; readers skip the segment and count it in coverage. */
export function corruptSegment(why: string, cause?: unknown): StoreError {
  return new StoreError('corrupt_segment', `corrupt segment: ${why}`, cause === undefined ? {} : { cause })
}
