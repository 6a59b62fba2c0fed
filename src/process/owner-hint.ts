/** What the owner of a directory wrote beside its lock, read without opening the lock and so without SQLite. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnerAddress } from './owner-runner.ts'

/** Null if there is none. It may be stale: whoever uses it has to see whether somebody answers. */
export function readOwnerHint(directory: string): OwnerAddress | null {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8'))
    const token = readFileSync(join(directory, 'owner.token'), 'utf8')
    if (typeof owner !== 'object' || owner === null || !('url' in owner) || typeof owner.url !== 'string')
      return null
    return { url: owner.url, token }
  } catch {
    return null
  }
}
