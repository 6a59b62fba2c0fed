/** The real engine with both workers, for processes whose system calls are traced or made to fail. */
import { join } from 'node:path'
import { type Engine, startEngine } from '../../src/engine/engine.ts'
import type { SealLimits } from '../../src/engine/sealing/engine-core.ts'
import { createLogger, type Logger } from '../../src/logger.ts'

const mebibyte = 1024 * 1024

export interface SmallEngineOptions {
  readonly directory: string
  readonly synchronous: 'FULL' | 'OFF'
  readonly sealLimits?: SealLimits
  readonly logger?: Logger
}

/** Files in `directory`: `inbox.db`, `store.db`, `dlq`. */
export function startSmallEngine(options: SmallEngineOptions): Promise<Engine> {
  const { directory, synchronous, sealLimits } = options
  return startEngine({
    inboxFile: join(directory, 'inbox.db'),
    store: { driver: 'sqlite', file: join(directory, 'store.db') },
    deadLetters: { directory: join(directory, 'dlq'), maxFiles: 10, maxBytes: mebibyte },
    inboxMaxBytes: 64 * mebibyte,
    inboxKeepSealedMs: 0,
    decompressionBudgetBytes: 16 * mebibyte,
    attributeMaxBytes: 65_536,
    trustResourceTenant: false,
    maxWaitingRequests: 1_000,
    maxWaitingBytes: 16 * mebibyte,
    retentionDays: { traces: 7, logs: 7, metrics: 7 },
    ...(sealLimits === undefined ? {} : { sealLimits }),
    synchronous,
    logger: options.logger ?? createLogger('WARN'),
    onFatal: error => {
      throw error
    },
  })
}
