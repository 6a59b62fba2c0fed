import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acquireOwnership, findOwner } from '../../../src/engine/owner/ownership.ts'
import { ConfigurationError } from '../../../src/errors.ts'

const moduleUrl = new URL('../../../src/engine/owner/ownership.ts', import.meta.url).href

let directory: string
const children: ChildProcess[] = []

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'owner-')), 'data')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(join(directory, '..'), { recursive: true, force: true })
})

/** Another process that tries to own the directory; resolves with `owned` or its error. */
async function contender(): Promise<{ child: ChildProcess; outcome: string }> {
  const script = `
    const { acquireOwnership } = await import(${JSON.stringify(moduleUrl)})
    try {
      const owned = acquireOwnership(${JSON.stringify(directory)})
      owned.announce('http://127.0.0.1:1', '127.0.0.1:2')
      process.stdout.write('owned')
      setInterval(() => owned, 1000)
    } catch (error) {
      process.stdout.write(error.message)
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [outcome] = await once(child.stdout, 'data')
  return { child, outcome: String(outcome) }
}

describe('ownership of a data directory', () => {
  test('a free directory is created with mode 0700 and its secrets with 0600', () => {
    const owned = acquireOwnership(directory)
    owned.announce('http://127.0.0.1:8080', '127.0.0.1:4317')
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    for (const file of ['owner.db', 'owner.json', 'owner.token']) {
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
    }
    owned.release()
  })

  test('a second owner is refused with one sentence that names the first', async () => {
    const { child, outcome } = await contender()
    expect(outcome).toBe('owned')
    expect(() => acquireOwnership(directory)).toThrowError(
      `the data directory ${directory} is owned by process ${child.pid} at http://127.0.0.1:1; stop it first or set DATA_DIR to another directory`,
    )
  })

  test('others find the owner, its address and its token while it lives, and nobody afterwards', () => {
    expect(findOwner(directory)).toBeNull()
    const owned = acquireOwnership(directory)
    expect(findOwner(directory)).toEqual({ url: null, token: owned.token, pid: null })
    owned.announce('http://127.0.0.1:8080', '127.0.0.1:4317')
    expect(findOwner(directory)).toEqual({
      url: 'http://127.0.0.1:8080',
      token: owned.token,
      pid: process.pid,
    })
    owned.release()
    owned.release()
    expect(findOwner(directory)).toBeNull()
  })

  test('ownership dies with a killed owner, whatever files it left behind', async () => {
    const { child } = await contender()
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(findOwner(directory)).toBeNull()
    const owned = acquireOwnership(directory)
    expect(findOwner(directory)).toEqual({ url: null, token: owned.token, pid: null })
    owned.release()
  })

  test('of five that start at once exactly one owns the directory', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, contender))
    expect(outcomes.filter(({ outcome }) => outcome === 'owned')).toHaveLength(1)
    expect(outcomes.filter(({ outcome }) => outcome.includes('is owned by'))).toHaveLength(4)
  })

  test('a foreign file under the name of the lock is named, not overwritten', () => {
    const first = acquireOwnership(directory)
    first.release()
    writeFileSync(join(directory, 'owner.db'), 'not a database, and long enough to be looked at '.repeat(30))
    expect(() => acquireOwnership(directory)).toThrowError(/owner\.db is not a lock file of this program/)
  })

  test('a path that cannot be a directory stops the start as a configuration error', () => {
    writeFileSync(join(directory, '..', 'file'), '')
    // Behind a file, a file, and where Node's own recursion would never end.
    for (const nowhere of [
      join(directory, '..', 'file', 'data'),
      join(directory, '..', 'file'),
      '/proc/data',
    ]) {
      expect(() => acquireOwnership(nowhere)).toThrowError(ConfigurationError)
      expect(() => acquireOwnership(nowhere)).toThrowError(/cannot be written/)
    }
  })
})
