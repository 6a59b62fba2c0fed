import type { RollupRecord } from '../../model/store.ts'
import { openBlock, type RollupBlock } from './decode.ts'

const opened = new WeakMap<Uint8Array, RollupBlock>()

/** Opens a record once for as long as its bytes live. Throws StoreError `corrupt_rollup`. */
export function openOnce(record: RollupRecord): RollupBlock {
  const known = opened.get(record.bytes)
  if (known !== undefined) return known
  const block = openBlock(record.bytes)
  opened.set(record.bytes, block)
  return block
}
