import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inboxStorage } from '../../../src/engine/inbox/inbox-file.ts'
import { InboxFileReader } from '../../../src/engine/inbox/inbox-file-reader.ts'
import { describeInboxStorage } from './inbox-storage-battery.ts'

describeInboxStorage('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'inbox-file-'))
  const file = join(directory, 'inbox.db')
  return {
    storage: inboxStorage({ file }),
    openReader: () => new InboxFileReader(file),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
})
