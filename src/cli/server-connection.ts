/**
 * The running server a command talks to: one named by URL, the owner of the data directory, or, where the
 * directory is free, one started in this process for as long as the command runs. Commands speak HTTP to all
 * three, so that there is one way to ask.
 */
import { InvalidInputError, OverloadedError, StoreError } from '../errors.ts'

export interface ServerConnection {
  /** Base URL without a trailing slash. */
  readonly url: string
  /** `host:port` of OTLP/gRPC, where it is known. */
  readonly grpcAddress?: string | null
  /** Where MCP is; `/mcp` if not given, where it always is for the token of an owner. */
  readonly mcpPath?: string
  readonly headers: Readonly<Record<string, string>>
  /** How the server was found, for messages. */
  readonly origin: 'endpoint' | 'owner' | 'started'
  close(): Promise<void>
}

export interface ConnectOptions {
  /** `--endpoint`. */
  readonly endpoint: string | undefined
  readonly apiKey: string
  /** `MCP_PATH`, taken to be that of the server at `--endpoint`, too. */
  readonly mcpPath: string
  /** `--tenant`, for operators. */
  readonly tenant: string | undefined
}

/** How a server of this machine is reached; of the owner of a directory, from the files beside its lock. */
export interface LocalAddress {
  readonly url: string
  /** `host:port` of OTLP/gRPC; null where an earlier version owns the directory. */
  readonly grpcAddress: string | null
  readonly token: string
}

/** What only the main module can do: it knows how the parts of the server are put together. */
export interface LocalServer {
  /** The process that owns the data directory, or null if it is free. */
  findOwner(): Promise<LocalAddress | null>
  /** Starts a server on free loopback ports in this process. */
  start(): Promise<LocalAddress & { stop(): Promise<void> }>
}

export async function connect(options: ConnectOptions, local: LocalServer): Promise<ServerConnection> {
  const tenant = options.tenant === undefined ? {} : { 'x-tenant-id': options.tenant }
  if (options.endpoint !== undefined) {
    const key = options.apiKey === '' ? {} : { authorization: `Bearer ${options.apiKey}` }
    return {
      url: baseUrl(options.endpoint),
      mcpPath: options.mcpPath,
      headers: { ...key, ...tenant },
      origin: 'endpoint',
      close: async () => undefined,
    }
  }
  const owner = await local.findOwner()
  if (owner !== null) {
    return {
      url: baseUrl(owner.url),
      grpcAddress: owner.grpcAddress,
      headers: { authorization: `Bearer ${owner.token}`, ...tenant },
      origin: 'owner',
      close: async () => undefined,
    }
  }
  const started = await local.start()
  return {
    url: baseUrl(started.url),
    grpcAddress: started.grpcAddress,
    headers: { authorization: `Bearer ${started.token}`, ...tenant },
    origin: 'started',
    close: () => started.stop(),
  }
}

function baseUrl(text: string): string {
  if (!URL.canParse(text)) {
    throw new InvalidInputError(
      'bad_endpoint',
      `"${text}" is not a URL; give one such as http://127.0.0.1:8080`,
      {
        field: 'endpoint',
      },
    )
  }
  return text.replace(/\/+$/, '')
}

/** `fetch` whose network failures say where it tried to go and what to do. */
export async function request(
  connection: ServerConnection,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  try {
    return await fetch(`${connection.url}${path}`, {
      ...init,
      headers: { ...connection.headers, ...(init.headers as Record<string, string> | undefined) },
    })
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new OverloadedError(
      'unreachable',
      `no answer from ${connection.url}; is the server running there? (${causeOf(error)})`,
      { cause: error, retryAfterMs: 1_000 },
    )
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}

interface JsonRpcReply {
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: string }[] }
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export interface ToolReply {
  readonly failed: boolean
  /** The answer, or the coded error, as the server's JSON text. */
  readonly json: string
}

/** Calls a tool over MCP, in the stateless form that needs no session. */
export async function callTool(
  connection: ServerConnection,
  tool: string,
  args: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<ToolReply> {
  const path = connection.mcpPath ?? '/mcp'
  const response = await request(connection, path, {
    method: 'POST',
    ...(signal === undefined ? {} : { signal }),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: tool, arguments: args },
    }),
  })
  const body = await response.text()
  if (response.status === 404) {
    throw new InvalidInputError(
      'no_mcp',
      `${connection.url} serves no MCP at ${path}; set MCP_PATH to where it does, or MCP_ENABLED=true there`,
    )
  }
  const reply = parseReply(body, response.status)
  if (reply.error !== undefined) throw callError(tool, reply.error)
  return { failed: reply.result?.isError === true, json: reply.result?.content?.[0]?.text ?? '' }
}

/** JSON-RPC codes of the server for a full house and for a call past its time. */
const overloadCodes: Readonly<Record<number, string>> = { [-32000]: 'overloaded', [-32001]: 'call_timeout' }

function callError(tool: string, error: NonNullable<JsonRpcReply['error']>): Error {
  const code = overloadCodes[error.code]
  if (code === undefined)
    return new InvalidInputError('call_refused', `${tool}: ${error.message} (${error.code})`)
  return new OverloadedError(code, `${tool}: ${error.message}`, { retryAfterMs: 1_000 })
}

function parseReply(body: string, status: number): JsonRpcReply {
  const data = body.startsWith('{') ? body : (/^data: ?(\{.*)$/m.exec(body)?.[1] ?? '')
  if (data === '') throw new StoreError('bad_answer', `the server answered ${status}: ${body.slice(0, 200)}`)
  return JSON.parse(data) as JsonRpcReply // JSON-RPC 2.0, from our own server
}
