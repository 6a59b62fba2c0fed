import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { listOtlpFiles, readOtlpLines, signalOfLine } from '../../src/cli/otlp-files.ts'

const directory = (): string => mkdtempSync(join(tmpdir(), 'otelcontext-files-'))

describe('OTLP files', () => {
  it('are found in sub-folders, plain and gzipped, and other files are left alone', async () => {
    const root = directory()
    mkdirSync(join(root, 'a'))
    writeFileSync(join(root, 'a', 'traces.jsonl.gz'), gzipSync('{"resourceSpans":[]}\n'))
    writeFileSync(join(root, 'logs.jsonl'), '{"resourceLogs":[]}\n')
    writeFileSync(join(root, 'notes.txt'), 'not telemetry')
    const files = await listOtlpFiles(root)
    expect(files.map(file => file.slice(root.length + 1))).toEqual(['a/traces.jsonl.gz', 'logs.jsonl'])
  })

  it('are read line by line with their signal, other lines counted', async () => {
    const file = join(directory(), 'mixed.jsonl.gz')
    const lines = [
      '{"resourceSpans":[1]}',
      '',
      '{"case":"x"}',
      '{"resourceMetrics":[2]}',
      '{"resourceLogs":[3]}',
    ]
    writeFileSync(file, gzipSync(lines.join('\n')))
    const skipped: number[] = []
    const read: string[] = []
    for await (const line of readOtlpLines(file, number => skipped.push(number)))
      read.push(`${line.line} ${line.signal}`)
    expect(read).toEqual(['1 traces', '4 metrics', '5 logs'])
    expect(skipped).toEqual([3])
  })

  it('take the outermost key as the signal, whatever the text inside says', () => {
    expect(signalOfLine('{"resourceLogs":[{"body":"\\"resourceSpans\\""}]}')).toBe('logs')
    expect(signalOfLine('{"other":1}')).toBeNull()
  })

  it('that do not exist are named in the error', async () => {
    await expect(listOtlpFiles('/nowhere/at/all')).rejects.toThrow('/nowhere/at/all does not exist')
    const empty = directory()
    await expect(listOtlpFiles(empty)).rejects.toThrow(empty)
  })

  it('that are cut short in the gzip stream fail instead of ending early', async () => {
    const file = join(directory(), 'cut.jsonl.gz')
    const whole = gzipSync('{"resourceSpans":[]}\n'.repeat(1_000))
    writeFileSync(file, whole.subarray(0, whole.length - 10))
    const read = async (): Promise<number> => {
      let count = 0
      for await (const line of readOtlpLines(file, () => undefined)) count += line.line > 0 ? 1 : 0
      return count
    }
    await expect(read()).rejects.toThrow(/unexpected end/)
  })
})
