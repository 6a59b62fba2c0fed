/** Runs scenarios of the official conformance suite against a URL, each in a process of its own. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const suite = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

export interface ScenarioResult {
  readonly passed: boolean
  readonly output: string
}

/** The suite writes its results into the working directory, hence one of its own. */
export function runScenario(url: string, scenario: string, version: string): Promise<ScenarioResult> {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-conformance-'))
  const args = [suite, 'server', '--url', url, '--scenario', scenario, '--spec-version', version]
  return new Promise(resolve => {
    execFile(process.execPath, args, { cwd: directory, timeout: 60_000 }, (error, stdout, stderr) => {
      rmSync(directory, { recursive: true, force: true })
      const output = stdout + stderr
      // A scenario that is skipped would pass without a check having been made.
      const checks = Number(/Passed: (\d+)\/(\d+)/.exec(output)?.[1] ?? 0)
      resolve({ passed: error === null && checks > 0, output })
    })
  })
}
