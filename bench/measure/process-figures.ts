/** CPU and memory of another process, as the operating system counts them (Linux). */
import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ, fixed in Linux's interface. */
const ticksPerSecond = 100

/** User and system time of all threads since the start, seconds. */
export function cpuSecondsOf(pid: number): number {
  return sumOf(statOf(pid), [11, 12]) / ticksPerSecond
}

/** Of a process and its children, those included that have ended. */
export function cpuSecondsOfFamily(pid: number): number {
  let ticks = sumOf(statOf(pid), [11, 12, 13, 14])
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(Number(name))
    if (Number(fields[1]) === pid) ticks += sumOf(fields, [11, 12])
  }
  return ticks / ticksPerSecond
}

/** The fields of proc_pid_stat(5) from the third on; none if the process is gone. */
function statOf(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

function sumOf(fields: readonly string[], places: readonly number[]): number {
  return places.reduce((sum, place) => sum + Number(fields[place] ?? 0), 0)
}

/** The largest resident size so far, MiB. */
export function peakMemoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024)
}
