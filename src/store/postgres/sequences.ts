/** Numbers for additions and removals of segments and for retirements, in the order of their transactions. */
import type { Client } from 'pg'

/**
 * Belongs into the transaction, and locks its row until that ends: whatever a connection that was lost still
 * commits is seen by what comes after.
 */
export async function takeSequences(client: Client, count: number): Promise<readonly number[]> {
  const { rows } = await client.query<{ readonly sequence: number }>(
    'UPDATE otelcontext.store SET sequence = sequence + $1 RETURNING sequence',
    [count],
  )
  const last = rows[0]?.sequence ?? count
  return Array.from({ length: count }, (_, at) => last - count + 1 + at)
}
