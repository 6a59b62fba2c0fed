/** The log of a service: lines as people write them, with the trace context of the request being served. */
import { type Attributes, logs, SeverityNumber } from '@opentelemetry/api'

export interface Journal {
  info(line: string, attributes?: Attributes): void
  warn(line: string, attributes?: Attributes): void
  error(line: string, attributes?: Attributes): void
}

export function openJournal(service: string): Journal {
  const logger = logs.getLogger(`shop.${service}`)
  const write =
    (severityNumber: SeverityNumber, severityText: string) =>
    (body: string, attributes: Attributes = {}): void =>
      logger.emit({ severityNumber, severityText, body, attributes })
  return {
    info: write(SeverityNumber.INFO, 'INFO'),
    warn: write(SeverityNumber.WARN, 'WARN'),
    error: write(SeverityNumber.ERROR, 'ERROR'),
  }
}
