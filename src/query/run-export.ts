/**
 * An export as a call of the query pool. The worker writes a file of its own and hands over the path, so that one
 * consistent view is exported however slowly the client reads.
 */
import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deadline, TelemetryReader } from '../model/reader.ts'
import type { ToolAnswer, ToolCall } from '../model/tool.ts'
import { type ExportQuery, exportTelemetry } from './export.ts'

/** Text gathered before it is written to the file. */
const writeBytes = 1024 * 1024

/** The name under which the pool passes an export; no tool has it, since tool names hold no dot. */
export const exportCall = 'export.telemetry'

/** Writes the export into `directory`; the answer's JSON is `{"file","items"}`. The caller deletes the file. */
export async function runExport(
  call: ToolCall,
  reader: TelemetryReader,
  deadline: Deadline,
  directory: string,
): Promise<ToolAnswer> {
  const query = call.args as ExportQuery // made by the export route, which has checked every field
  const file = join(directory, `export-${randomUUID()}.jsonl`)
  const handle = await open(file, 'wx', 0o600)
  try {
    let waiting = ''
    const items = await exportTelemetry(reader, query, deadline, async line => {
      waiting += line
      if (waiting.length < writeBytes) return
      const text = waiting
      waiting = ''
      await handle.write(text)
    })
    if (waiting !== '') await handle.write(waiting)
    return { json: JSON.stringify({ file, items }), failed: false }
  } catch (error) {
    await rm(file, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}
