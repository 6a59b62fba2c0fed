/**
 * Bytes kept and nothing else, as a process of its own: `node bytes-server.ts FILE`. node:http, each body handed to a
 * worker, one BLOB a commit for all that wait, SQLite in WAL mode with synchronous=FULL, answered after the commit: what
 * any receiver of this design has to do, so its speed says how fast the machine is at it. Prints its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'

interface Body {
  readonly id: number
  readonly bytes: Uint8Array
}

/** Pages of 16 KiB and moved into the file after 32 MiB, both the best of those that were measured. */
function openDatabase(file: string): Database.Database {
  const database = new Database(file)
  database.pragma('page_size = 16384')
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('wal_autocheckpoint = 2048')
  database.exec('CREATE TABLE bodies (id INTEGER PRIMARY KEY, bytes BLOB)')
  return database
}

function keepBodies(file: string): void {
  const insert = openDatabase(file).prepare('INSERT INTO bodies (bytes) VALUES (?)')
  let waiting: Body[] = []
  const commit = (): void => {
    const group = waiting
    waiting = []
    insert.run(Buffer.concat(group.map(body => body.bytes)))
    parentPort?.postMessage(group.map(body => body.id))
  }
  parentPort?.on('message', (body: Body) => {
    waiting.push(body)
    // Whatever else this turn of the event loop brings joins the same commit.
    if (waiting.length === 1) setImmediate(commit)
  })
}

function receive(file: string): void {
  const worker = new Worker(new URL(import.meta.url), { workerData: file })
  const open = new Map<number, ServerResponse>()
  let lastId = 0
  worker.on('message', (ids: readonly number[]) => {
    for (const id of ids) {
      open.get(id)?.end()
      open.delete(id)
    }
  })
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const bytes = new Uint8Array(Buffer.concat(chunks))
      const id = ++lastId
      open.set(id, response)
      response.setHeader('content-type', 'application/x-protobuf')
      worker.postMessage({ id, bytes }, [bytes.buffer])
    })
  }
  const server = createServer(handle)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 }))
  })
  process.on('SIGTERM', () => process.exit(0))
}

if (isMainThread) receive(process.argv[2] ?? 'bodies.db')
else keepBodies(String(workerData))
