/** Names out of telemetry (services, operations, metrics) where they may stand outside of untrusted fields. */
import { createHash } from 'node:crypto'
import { readsLikeInstruction } from './instruction.ts'

const plain = /^[A-Za-z0-9 _./:@{}*-]{1,100}$/

/** Whether a name may be shown as it is: a plain pattern, and no sentence addressed to an agent. */
export function isPlainName(name: string): boolean {
  return plain.test(name) && !readsLikeInstruction(name)
}

export type NameKind = 'svc' | 'op' | 'metric' | 'name'

/** First eight hex digits of the name's SHA-256. */
export function nameHash(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 8)
}

/** The name itself if it is plain, else `svc:` (or `op:`, `metric:`, `name:`) with its hash; empty stays empty. */
export function showName(name: string, kind: NameKind = 'svc'): string {
  if (name === '' || isPlainName(name)) return name
  return `${kind}:${nameHash(name)}`
}

/** The candidate that `text` means: the name itself, or the hash form `showName` gave it. Null if none. */
export function matchName(text: string, candidates: Iterable<string>, kind: NameKind = 'svc'): string | null {
  const hash = new RegExp(`^${kind}:([0-9a-f]{8})$`).exec(text)?.[1]
  for (const candidate of candidates) {
    if (candidate === text) return candidate
    if (hash !== undefined && !isPlainName(candidate) && nameHash(candidate) === hash) return candidate
  }
  return null
}
