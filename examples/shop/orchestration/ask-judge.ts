/** Hands an answer to the judge, a process of its own. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Judgement {
  readonly right: boolean
  readonly why: string
}

const judge = fileURLToPath(new URL('../judge.ts', import.meta.url))

export async function askJudge(scenario: string, answer: string): Promise<Judgement> {
  const child = spawn(process.execPath, [judge, scenario], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(answer)
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (!output.startsWith('{')) throw new Error(`the judge failed: ${complaint.trim()}`)
  return JSON.parse(output) as Judgement // printed by judge.ts
}
