/** A wire that takes its time: passes bytes to a loopback port and back, each way so many milliseconds later. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface LongWire {
  readonly port: number
  /** Ends it, and what is on it. */
  cut(): void
}

export async function openLongWire(targetPort: number, delayMs: number): Promise<LongWire> {
  const ends = new Set<Socket>()
  const carry = (from: Socket, to: Socket): void => {
    ends.add(from)
    // Timers of equal length fire in the order in which they were set, so bytes keep theirs.
    from.on('data', bytes => setTimeout(() => to.writable && to.write(bytes), delayMs))
    from.on('end', () => setTimeout(() => to.end(), delayMs))
    from.on('error', () => to.destroy())
    from.on('close', () => ends.delete(from))
  }
  const server = createServer({ noDelay: true, allowHalfOpen: true }, caller => {
    const callee = connect({ port: targetPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    carry(caller, callee)
    carry(callee, caller)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
  return {
    port: (server.address() as AddressInfo).port, // a TCP server that listens
    cut: () => {
      server.close()
      for (const end of ends) end.destroy()
    },
  }
}
