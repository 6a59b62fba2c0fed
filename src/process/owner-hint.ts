/** What the owner of a directory wrote beside its lock, read without opening the lock and so without SQLite. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalAddress } from '../cli/server-connection.ts'

/** Null if there is none. It may be stale: whoever uses it has to see whether somebody answers. */
export function readOwnerHint(directory: string): LocalAddress | null {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8'))
    const token = readFileSync(join(directory, 'owner.token'), 'utf8')
    if (typeof owner !== 'object' || owner === null || !('url' in owner) || typeof owner.url !== 'string')
      return null
    const grpcAddress =
      'grpc_address' in owner && typeof owner.grpc_address === 'string' ? owner.grpc_address : null
    return { url: owner.url, grpcAddress, token }
  } catch {
    return null
  }
}
