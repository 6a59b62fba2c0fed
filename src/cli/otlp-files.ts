/** OTLP/JSON files: one export request per line, as the Collector's file exporter writes them, gzip or not. */
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { NotFoundError } from '../errors.ts'
import type { Signal } from '../model/telemetry.ts'

const endings: readonly string[] = ['.jsonl', '.json', '.jsonl.gz', '.json.gz', '.ndjson', '.ndjson.gz']

/** Files below `path`, or `path` itself, in name order; traces, logs and metrics are told apart by their content. */
export async function listOtlpFiles(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new NotFoundError('no_such_file', `${path} does not exist`)
  if (found.isFile()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(entry => entry.isFile() && endings.some(ending => entry.name.endsWith(ending)))
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()
  if (files.length === 0)
    throw new NotFoundError('no_otlp_files', `${path} holds no file ending in ${endings.join(', ')}`)
  return files
}

export interface OtlpLine {
  readonly line: number
  readonly signal: Signal
  readonly text: string
}

const signalKeys: readonly (readonly [string, Signal])[] = [
  ['"resourceSpans"', 'traces'],
  ['"resourceLogs"', 'logs'],
  ['"resourceMetrics"', 'metrics'],
]

/** The signal of an export request by the earliest of the three top-level keys; null if it has none. */
export function signalOfLine(text: string): Signal | null {
  let best: { readonly at: number; readonly signal: Signal } | null = null
  for (const [key, signal] of signalKeys) {
    const at = text.indexOf(key)
    if (at >= 0 && (best === null || at < best.at)) best = { at, signal }
  }
  return best?.signal ?? null
}

/** Export requests of a file; lines that are none (a case description, say) are passed to `skipped`. */
export async function* readOtlpLines(
  file: string,
  skipped: (line: number) => void,
): AsyncGenerator<OtlpLine> {
  const raw = createReadStream(file)
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  raw.on('error', error => input.destroy(error))
  let line = 0
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++
    if (text.trim() === '') continue
    const signal = signalOfLine(text)
    if (signal === null) skipped(line)
    else yield { line, signal, text }
  }
}
