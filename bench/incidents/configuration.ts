/** One configuration answers every case: its hash stands beside every figure. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const graphSource = fileURLToPath(new URL('../../src/graph/', import.meta.url))

/** Of every file that decides what an answer says: weights, thresholds and methods are constants there. */
export function configurationHash(): string {
  const hash = createHash('sha256')
  const files = readdirSync(graphSource, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort()
  for (const name of files)
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(join(graphSource, name)))
  return hash.digest('hex').slice(0, 12)
}
