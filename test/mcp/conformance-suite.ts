/** Runs the official conformance suite against a URL, in a process of its own. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const suite = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

export interface ScenarioResult {
  readonly passed: number
  readonly failed: number
}

/** The suite writes its results into the working directory, hence one of its own. */
function runSuite(args: readonly string[]): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'otelcontext-conformance-'))
  return new Promise(resolve => {
    const options = { cwd: directory, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, [suite, 'server', ...args], options, (_error, stdout, stderr) => {
      rmSync(directory, { recursive: true, force: true })
      resolve(stripVTControlCharacters(stdout + stderr))
    })
  })
}

/** Every scenario that a revision requires, and those it only reports, by name. */
export async function runRequirements(
  url: string,
  version: string,
): Promise<ReadonlyMap<string, ScenarioResult>> {
  const output = await runSuite(['--url', url, '--requirements', version])
  const lines = [...output.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed/gm)]
  return new Map(
    lines.map(([, name = '', passed, failed]) => [name, { passed: Number(passed), failed: Number(failed) }]),
  )
}

/** What one scenario prints, every check with its outcome. */
export function runScenario(url: string, scenario: string, version: string): Promise<string> {
  return runSuite(['--url', url, '--scenario', scenario, '--spec-version', version])
}
