/** The published command as a child process. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const commandFile: string = fileURLToPath(new URL('../../bin/otelcontext.js', import.meta.url))

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Settings of the machine that runs the tests must not reach the command. */
const clean: Readonly<Record<string, string>> = {
  HTTP_PORT: '0',
  GRPC_PORT: '0',
  OTLP_HTTP_PORT: '0',
  API_KEY: '',
  BIND_ADDRESS: '',
}

/** Runs to the end, or kills it after `timeoutMs` and resolves with code null. */
export function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeoutMs = 25_000,
): Promise<CommandResult> {
  const child = spawn(process.execPath, [commandFile, ...args], {
    env: { ...process.env, ...clean, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  return new Promise(resolve =>
    child.once('close', code => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    }),
  )
}
