/**
 * Bytes out of the server as they are. A result of the driver is text, so that every byte of a `bytea` costs two
 * digits and their conversion on both sides; `COPY ... TO STDOUT (FORMAT binary)` costs half of that.
 *
 * Source: PostgreSQL documentation, COPY, "Binary Format"; 54.2.6 "COPY Operations".
 */
import type { ClientBase, Connection, Submittable } from 'pg'

const signature: Buffer = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')

/** Rows of one bytea column. `query` takes no parameters: whatever it names must be a number of ours. */
export function copyOut(client: ClientBase, query: string): Promise<readonly (Buffer | null)[]> {
  return new Promise((resolve, reject) => {
    client.query(
      new CopyOut(`COPY (${query}) TO STDOUT (FORMAT binary)`, (error, bytes) => {
        if (error !== null) return reject(error)
        try {
          resolve(readRows(bytes))
        } catch (problem) {
          reject(problem)
        }
      }),
    )
  })
}

type Done = (error: Error | null, bytes: Buffer) => void

/** The driver calls these by name; `callback` too, when its time limit for an answer is over. */
class CopyOut implements Submittable {
  readonly #text: string
  readonly #chunks: Buffer[] = []
  #failed = false
  callback: Done

  constructor(text: string, callback: Done) {
    this.#text = text
    this.callback = callback
  }

  submit(connection: Connection): void {
    connection.query(this.#text)
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    // Its memory is the parser's, which uses it again.
    this.#chunks.push(Buffer.from(message.chunk))
  }

  handleError(error: Error): void {
    this.#failed = true
    this.callback(error, Buffer.alloc(0))
  }

  handleReadyForQuery(): void {
    if (!this.#failed) this.callback(null, Buffer.concat(this.#chunks))
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** Each row in memory of its own, so that one that is kept does not keep the others. Throws RangeError. */
function readRows(bytes: Buffer): readonly (Buffer | null)[] {
  if (!bytes.subarray(0, signature.length).equals(signature)) throw new RangeError('not a binary copy')
  let at = signature.length + 4
  at += 4 + bytes.readUInt32BE(at)
  const rows: (Buffer | null)[] = []
  for (let fields = bytes.readInt16BE(at); fields !== -1; fields = bytes.readInt16BE(at)) {
    if (fields !== 1) throw new RangeError(`a copied row has ${fields} fields instead of one`)
    const length = bytes.readInt32BE(at + 2)
    at += 6
    if (length === -1) rows.push(null)
    else {
      if (at + length > bytes.length) throw new RangeError('a copied row is cut off')
      rows.push(Buffer.from(bytes.subarray(at, at + length)))
      at += length
    }
  }
  return rows
}
