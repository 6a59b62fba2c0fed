/**
 * Start in order, stop in reverse, once. What holds a resource registers how to let go of it; the process
 * ends when a signal arrives or a part fails for good.
 */
import type { Logger } from './logger.ts'

/** Milliseconds a graceful stop may take before the process goes anyway; operators expect under ten seconds. */
const stopDeadlineMs = 9_000

export interface Stoppable {
  readonly name: string
  stop(): Promise<void>
}

export class Lifecycle {
  readonly #logger: Logger
  readonly #parts: Stoppable[] = []
  #stopping: Promise<void> | null = null

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Parts stop in the reverse of this order, each only after the one registered behind it. */
  register(part: Stoppable): void {
    this.#parts.push(part)
  }

  /** Stops everything; a second call waits for the first. A part that fails is logged and does not hold the others. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stopAll(reason)
    return this.#stopping
  }

  async #stopAll(reason: string): Promise<void> {
    this.#logger.info({ event: 'task_stopping', reason }, 'stopping')
    const late = deadline(stopDeadlineMs)
    for (const part of this.#parts.toReversed()) {
      try {
        const outcome = await Promise.race([part.stop().then(() => 'stopped' as const), late.passed])
        if (outcome === 'late') {
          this.#logger.error({ event: 'task_stop_late', part: part.name }, 'did not stop in time')
          break
        }
      } catch (error) {
        this.#logger.error({ event: 'task_stop_failed', part: part.name, err: error }, 'failed to stop')
      }
    }
    late.cancel()
    this.#logger.info({ event: 'task_stopped' }, 'stopped')
  }
}

/** Resolves with the name of the first SIGINT or SIGTERM; a second signal ends the process at once. */
export function untilSignal(): Promise<string> {
  return new Promise(resolve => {
    let seen = false
    const onSignal = (name: NodeJS.Signals): void => {
      if (seen) process.exit(1)
      seen = true
      resolve(name)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

function deadline(ms: number): { readonly passed: Promise<'late'>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  return { passed, cancel: () => clearTimeout(timer) }
}
