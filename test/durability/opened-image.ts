/** Opens the files that a crash or a fault left behind with the real code. */
import { join } from 'node:path'
import { InboxFile } from '../../src/engine/inbox/inbox-file.ts'
import { openSqliteWriter } from '../../src/store/sqlite/store-writer.ts'
import { storedItems } from './ledger.ts'

/** As a start does, and a little further: opens both for writing, commits to both, reads everything. */
export async function openImage(directory: string): Promise<ReadonlyMap<string, number>> {
  const inboxFile = join(directory, 'inbox.db')
  const databaseFile = join(directory, 'store.db')
  const inbox = InboxFile.open({ file: inboxFile })
  const writer = openSqliteWriter(databaseFile)
  try {
    const sealed = await writer.sealedPosition(inbox.inboxId)
    if (sealed > inbox.lastPosition)
      throw new Error(`the store is at ${sealed}, the inbox ends at ${inbox.lastPosition}`)
    inbox.begin()
    inbox.remember({ hash: new Uint8Array(16), receivedMs: 1, accepted: 0, rejected: 0 })
    inbox.commit()
    await writer.removeRollups(0, 1)
    return await storedItems(databaseFile, { inboxFile })
  } finally {
    inbox.close()
    await writer.close()
  }
}

/** Names of the items of a request that was acknowledged with the note `<seed> <items>`. */
export function itemsOfNote(text: string): readonly string[] {
  const [seed = '', items = '0'] = text.trim().split(' ')
  return Array.from({ length: Number(items) }, (_, i) => `${seed}-${i}`)
}
