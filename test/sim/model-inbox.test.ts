import { describeInboxStorage } from '../engine/inbox/inbox-storage-battery.ts'
import { ModelInboxDisk } from './model-inbox.ts'

describeInboxStorage('the simulation', () => {
  const disk = new ModelInboxDisk()
  return { storage: disk.storage(), openReader: () => disk.reader(), remove: () => undefined }
})
