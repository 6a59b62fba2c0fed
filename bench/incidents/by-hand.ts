/** A case as files and a command, for those who want to play it by hand: the very same requests and question. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { IncidentCase } from './cases.ts'
import { argumentsOf } from './question.ts'
import { exportRequests } from './send.ts'

/** Writes `DIR/<case>/requests.jsonl`; returns the commands that replay it and ask. */
export function writeCase(incident: IncidentCase, directory: string): readonly string[] {
  const folder = join(directory, incident.name)
  mkdirSync(folder, { recursive: true })
  const lines = [...exportRequests(incident)].map(({ body }) => body.replaceAll('\n', ' '))
  writeFileSync(join(folder, 'requests.jsonl'), `${lines.join('\n')}\n`)
  const options = Object.entries(argumentsOf(incident)).map(
    ([name, value]) => `--${name.replaceAll('_', '-')} '${value}'`,
  )
  return [`otelcontext replay ${folder}`, `otelcontext investigate ${options.join(' ')}`]
}
