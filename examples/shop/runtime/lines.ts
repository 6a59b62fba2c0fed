/**
 * One JSON request or reply per line over TCP, several in flight at once: the wire of the shop's database,
 * key-value store and broker. It carries no telemetry, as the wire of a real one does not.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

interface Framed {
  readonly id: number
  readonly payload?: unknown
  readonly error?: string
}

/** Serves `handle` on a free loopback port; what it throws goes to the client as its message. */
export function serveLines(handle: (payload: unknown) => Promise<unknown>): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    createInterface({ input: socket })
      .on('line', line => {
        const request = JSON.parse(line) as Framed // only our own client writes here
        handle(request.payload)
          .then(payload => ({ id: request.id, payload }))
          .catch((error: unknown) => ({ id: request.id, error: messageOf(error) }))
          .then(reply => socket.writable && socket.write(`${JSON.stringify(reply)}\n`))
      })
      // The reader throws the socket's error again unless somebody listens.
      .on('error', () => undefined)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo // a TCP server that listens
      resolve(port)
    })
  })
}

export interface LineClient {
  /** Rejects when the server cannot be reached, goes away, refuses, or takes longer than `timeoutMs`. */
  request(payload: unknown, timeoutMs: number): Promise<unknown>
  close(): void
}

interface Waiting {
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: Error) => void
}

/** Connects at the first request and again after every loss. `portOf` says where the server is now. */
export function createLineClient(portOf: () => number | undefined): LineClient {
  const waiting = new Map<number, Waiting>()
  let socket: Socket | undefined
  let nextId = 1

  const open = (): Socket => {
    const port = portOf()
    if (port === undefined) throw new Error('no address')
    const opened = connect({ port, host: '127.0.0.1', noDelay: true })
    let failure = new Error('connection closed by the server')
    opened.on('error', error => {
      failure = error
    })
    opened.on('close', () => {
      if (socket === opened) socket = undefined
      for (const each of waiting.values()) each.reject(failure)
      waiting.clear()
    })
    // As above.
    createInterface({ input: opened })
      .on('line', line => settle(JSON.parse(line) as Framed)) // only our own server writes here
      .on('error', () => undefined)
    return opened
  }
  const settle = ({ id, payload, error }: Framed): void => {
    const each = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) each?.resolve(payload)
    else each?.reject(new Error(error))
  }
  return {
    request: (payload, timeoutMs) =>
      new Promise((resolve, reject) => {
        socket ??= open()
        const id = nextId++
        const timer = setTimeout(() => {
          waiting.delete(id)
          reject(new Error(`no reply within ${timeoutMs} ms`))
        }, timeoutMs)
        const settled =
          <T>(continueWith: (value: T) => void) =>
          (value: T): void => {
            clearTimeout(timer)
            continueWith(value)
          }
        waiting.set(id, { resolve: settled(resolve), reject: settled(reject) })
        socket.write(`${JSON.stringify({ id, payload })}\n`)
      }),
    close: () => socket?.destroy(),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
