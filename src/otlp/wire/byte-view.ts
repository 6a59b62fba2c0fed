/** Words out of byte arrays: four bytes in one step are read, compared and hashed much faster than one by one. */

const empty = new Uint8Array(0)
let latest: Uint8Array = empty
let latestView: DataView = new DataView(empty.buffer)

/** A view of the same bytes. The one of the array asked for last is kept, because a request is asked about often. */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== latest) {
    latest = bytes
    latestView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  return latestView
}
