/** One protocol server per request or connection; everything dear lives outside of it. */
import {
  type McpServerFactory,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Logger } from '../logger.ts'
import type { Caller, ToolRunner, ToolsetName } from '../model/tool.ts'
import { type CallContext, callTool } from './call-tool.ts'
import { fillPrompt, type PromptSet, shippedPrompts } from './prompt-files.ts'
import { readResource, resourcesOf, resourceTemplates } from './resources.ts'
import { toolDefinitions } from './tool-definitions.ts'

export interface McpOptions {
  readonly runner: ToolRunner
  /** Of this package, as the handshake tells it. */
  readonly version: string
  readonly logger: Logger
  /** Sets of tools that are switched on besides those everybody is offered. */
  readonly toolsets?: readonly ToolsetName[]
}

/** Definitions change with the version only. */
const definitionsTtlMs = 3_600_000
/** What resources show moves with the data. */
const dataTtlMs = 5_000

const capabilities = { tools: {}, prompts: {}, resources: {} }

function callContext(options: McpOptions, caller: Caller, context: ServerContext): CallContext {
  const token = context.mcpReq._meta?.progressToken
  return {
    runner: options.runner,
    logger: options.logger,
    toolsets: options.toolsets ?? [],
    caller,
    signal: context.mcpReq.signal,
    progress:
      token === undefined
        ? null
        : {
            report: seconds =>
              void context.mcpReq
                .notify({
                  method: 'notifications/progress',
                  params: { progressToken: token, progress: seconds, message: `running for ${seconds} s` },
                })
                // Whoever does not listen any more has closed the stream, which cancels the call by itself.
                .catch(() => undefined),
          },
  }
}

function promptMessages(set: PromptSet, name: string, given: Readonly<Record<string, string>>) {
  const prompt = set.prompts.find(entry => entry.name === name)
  if (prompt === undefined)
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'unknown prompt; see prompts/list')
  const missing = prompt.arguments.find(entry => entry.required && (given[entry.name] ?? '') === '')
  if (missing !== undefined)
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `argument ${missing.name} is required`)
  return {
    description: prompt.description,
    messages: [
      { role: 'user' as const, content: { type: 'text' as const, text: fillPrompt(prompt, given) } },
    ],
  }
}

/** Serves both protocol eras; `callerOf` names who asks. */
export function createServerFactory(
  options: McpOptions,
  callerOf: (context: ServerContext) => Caller,
): McpServerFactory {
  const prompts = shippedPrompts()
  const promptList = prompts.prompts.map(prompt => ({
    name: prompt.name,
    title: prompt.title,
    description: prompt.description,
    arguments: prompt.arguments.map(({ name, description, required }) => ({ name, description, required })),
  }))
  const contextOf = (context: ServerContext): CallContext => callContext(options, callerOf(context), context)
  const toolsets = options.toolsets ?? []
  const resources = resourcesOf(toolsets)
  const stable = { ttlMs: definitionsTtlMs, cacheScope: 'public' as const }
  return () => {
    const server = new Server(
      { name: 'otelcontext', title: 'OtelContext', version: options.version },
      {
        capabilities,
        instructions: prompts.instructions,
        cacheHints: {
          'tools/list': stable,
          'prompts/list': stable,
          'resources/list': stable,
          'resources/templates/list': stable,
          'server/discover': stable,
          'resources/read': { ttlMs: dataTtlMs, cacheScope: 'private' },
        },
      },
    )
    server.setRequestHandler('tools/list', () => ({ tools: toolDefinitions(toolsets) }))
    server.setRequestHandler('tools/call', (request, context) =>
      callTool(request.params.name, request.params.arguments, contextOf(context)),
    )
    server.setRequestHandler('prompts/list', () => ({ prompts: promptList }))
    server.setRequestHandler('prompts/get', request =>
      promptMessages(prompts, request.params.name, request.params.arguments ?? {}),
    )
    server.setRequestHandler('resources/list', () => ({ resources }))
    server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates }))
    server.setRequestHandler('resources/read', (request, context) =>
      readResource(request.params.uri, contextOf(context)),
    )
    return server
  }
}
