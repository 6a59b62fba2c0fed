/** Answers of this server's own routes; errors are `{ "error": { "code", "message" } }`. */
import type { ServerResponse } from 'node:http'

export type ExtraHeaders = Readonly<Record<string, string>>

export function sendText(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: ExtraHeaders = {},
): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  })
  response.end(text)
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: ExtraHeaders = {},
): void {
  sendText(response, status, 'application/json', JSON.stringify(value), headers)
}

export interface HttpError {
  readonly status: number
  /** For programs, such as `not_found`. */
  readonly code: string
  readonly message: string
  readonly headers?: ExtraHeaders
}

export function sendError(response: ServerResponse, error: HttpError): void {
  const { status, code, message } = error
  sendJson(response, status, { error: { code, message } }, error.headers)
}
