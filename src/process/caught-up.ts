/** Waits until what is acknowledged can be read: a person who sends and then exports expects to find it. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Engine } from '../engine/engine.ts'

/** Publication takes half a second; a replay after a crash may take longer and is not waited for. */
const patienceMs = 5_000
const pollMs = 25

export async function caughtUp(engine: Engine): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  const target = (await engine.figures()).inbox?.lastPosition ?? 0
  while (performance.now() < giveUpAt) {
    const published = (await engine.figures()).engine?.publishedPosition ?? 0
    if (published >= target) return
    await pause(pollMs)
  }
}
