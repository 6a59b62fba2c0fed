/** Whether a port can be listened on; it may be taken a moment later, so a real listen still has to be checked. */
import { createServer } from 'node:net'

export function canListen(port: number, address: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, address, () => probe.close(() => resolve(true)))
  })
}
