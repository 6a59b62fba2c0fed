/** What a server said to one export request, whichever transport carried it. */
import { cursor, readVarint } from '../../otlp/wire/varint.ts'

export type Acknowledgement =
  /** `rejected` of its items were not taken, for good; partial success says so. */
  | { readonly type: 'accepted'; readonly rejected: number }
  /** May be sent again, after `afterMs` if the server named a time. */
  | { readonly type: 'retry'; readonly status: string; readonly afterMs: number | null }
  /** Must not be sent again. */
  | { readonly type: 'refused'; readonly status: string; readonly detail: string }

/**
 * `partial_success.rejected_*` of an Export*ServiceResponse: field 1, and in it field 1 as a varint. 0 for an
 * empty response and for one that cannot be read: a server that says 200 has taken it.
 */
export function rejectedItems(response: Uint8Array): number {
  try {
    if (response[0] !== 0x0a) return 0
    readVarint(response, 1, response.length)
    const at = cursor.next
    return response[at] === 0x08 ? readVarint(response, at + 1, response.length) : 0
  } catch {
    return 0
  }
}
