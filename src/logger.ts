/** The process log: JSON lines on stderr, because stdout belongs to stdio MCP and to command output. */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino'

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child'> & {
  level: string
}

const levels: Readonly<Record<string, string>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
  SILENT: 'silent',
}

/**
 * Makes the logger of a thread. `level` is a name of LOG_LEVEL in any case; `sink` is stderr unless a test
 * passes its own. Every event carries `event`, the name an operator greps for.
 */
export function createLogger(level: string, sink?: DestinationStream): Logger {
  const chosen = levels[level.toUpperCase()] ?? 'info'
  return pino(
    { level: chosen, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    sink ?? destination({ dest: 2, sync: true }),
  )
}
