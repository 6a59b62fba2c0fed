/** A small file system of its own, for commands that fill it: a tmpfs in a mount namespace that ends with the process. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { say } from './command.ts'

export const mebibyte: number = 1024 * 1024
/** Set in the process that has mounts of its own. */
const insideVariable = 'DISK_TEST_INSIDE'

/** Runs this command again where it may mount, and there `run` with the mounted folder; true if that held. */
export async function onSmallDisk(
  megabytes: number,
  run: (mount: string) => Promise<boolean>,
): Promise<boolean> {
  if (process.env[insideVariable] === undefined) return runInside()
  const mount = mkdtempSync(join(tmpdir(), 'small-disk-'))
  const size = `size=${megabytes}m`
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', mount], { encoding: 'utf8' })
  if (mounted.status !== 0) {
    say(`a tmpfs cannot be mounted: ${mounted.stderr}`)
    return false
  }
  say(`a tmpfs of ${megabytes} MiB, mounted in a namespace of its own`)
  try {
    return await run(mount)
  } finally {
    spawnSync('umount', [mount])
    rmSync(mount, { recursive: true, force: true })
  }
}

function runInside(): boolean {
  const root = process.getuid?.() === 0
  const [node, ...arguments_] = [process.execPath, ...process.argv.slice(1)]
  const run = spawnSync('unshare', [root ? '-m' : '-rm', '--', node, ...arguments_], {
    stdio: 'inherit',
    env: { ...process.env, [insideVariable]: '1' },
  })
  if (run.error !== undefined) say(`\`unshare\` cannot be run: ${run.error.message}`)
  // What it found it has said.
  process.exit(run.status ?? 1)
}

export function freeBytesOf(mount: string): number {
  const { bavail, bsize } = statfsSync(mount)
  return bavail * bsize
}

/** Writes a file until only `leaveBytes` are free. */
export async function fillDisk(mount: string, file: string, leaveBytes: number): Promise<void> {
  const handle = await open(file, 'w')
  const piece = Buffer.alloc(mebibyte, 1)
  try {
    for (let bytes = mebibyte; bytes >= 4096; ) {
      if (freeBytesOf(mount) - bytes < leaveBytes) bytes /= 2
      else await handle.write(piece, 0, bytes)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    await handle.close()
  }
}
