/** The names the conformance suite asks for, behind the product's transport code. */
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type GetPromptResult,
  type McpServerFactory,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** One red pixel. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
/** A WAV header without samples. */
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

const text = (value: string) => ({ type: 'text' as const, text: value })
const image = { type: 'image' as const, data: png, mimeType: 'image/png' }

function embedded(uri: string, mimeType: string, value: string) {
  return { type: 'resource' as const, resource: { uri, mimeType, text: value } }
}

const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 50))

async function progress(context: ServerContext): Promise<CallToolResult> {
  const token = context.mcpReq._meta?.progressToken
  for (const done of [0, 50, 100]) {
    if (token !== undefined) {
      await context.mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken: token, progress: done, total: 100 },
      })
    }
    await pause()
  }
  return { content: [text('done')] }
}

async function logging(context: ServerContext): Promise<CallToolResult> {
  for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await context.mcpReq.log('info', line)
    await pause()
  }
  return { content: [text('done')] }
}

const tools: Readonly<Record<string, (context: ServerContext) => CallToolResult | Promise<CallToolResult>>> =
  {
    test_simple_text: () => ({ content: [text('This is a simple text response for testing.')] }),
    test_image_content: () => ({ content: [image] }),
    test_audio_content: () => ({ content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }] }),
    test_embedded_resource: () => ({
      content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
    }),
    test_multiple_content_types: () => ({
      content: [
        text('Multiple content types test:'),
        image,
        embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
      ],
    }),
    test_error_handling: () => ({
      isError: true,
      content: [text('This tool intentionally returns an error for testing')],
    }),
    test_tool_with_progress: progress,
    test_tool_with_logging: logging,
    test_logging_tool: logging,
    test_streaming_elicitation: () => ({ content: [text('done')] }),
    test_missing_capability: context => {
      const envelope: Readonly<Record<string, unknown>> = context.mcpReq.envelope ?? {}
      const declared = envelope[CLIENT_CAPABILITIES_META_KEY]
      if (typeof declared !== 'object' || declared === null || !('sampling' in declared))
        throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } })
      return { content: [text('declared')] }
    },
  }

const user = 'user' as const
const prompts: Readonly<Record<string, (args: Readonly<Record<string, string>>) => GetPromptResult>> = {
  test_simple_prompt: () => ({
    messages: [{ role: user, content: text('This is a simple prompt for testing.') }],
  }),
  test_prompt_with_arguments: args => ({
    messages: [
      {
        role: user,
        content: text(`Prompt with arguments: arg1='${args['arg1'] ?? ''}', arg2='${args['arg2'] ?? ''}'`),
      },
    ],
  }),
  test_prompt_with_embedded_resource: args => ({
    messages: [
      {
        role: user,
        content: embedded(args['resourceUri'] ?? '', 'text/plain', 'Embedded resource content for testing.'),
      },
      { role: user, content: text('Please process the embedded resource above.') },
    ],
  }),
  test_prompt_with_image: () => ({
    messages: [
      { role: user, content: image },
      { role: user, content: text('Please analyze the image above.') },
    ],
  }),
}

const promptArguments: Readonly<Record<string, readonly string[]>> = {
  test_prompt_with_arguments: ['arg1', 'arg2'],
  test_prompt_with_embedded_resource: ['resourceUri'],
}

function contentsOf(uri: string) {
  if (uri === 'test://static-text')
    return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: png }
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  if (id === undefined) throw new ResourceNotFoundError(uri)
  const data = { id, templateTest: true, data: `Data for ID: ${id}` }
  return { uri, mimeType: 'application/json', text: JSON.stringify(data) }
}

function find<T>(table: Readonly<Record<string, T>>, name: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined
  if (found === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'unknown name')
  return found
}

const hint = { ttlMs: 1_000, cacheScope: 'public' as const }

export const fixtureFactory: McpServerFactory = () => {
  const server = new Server(
    { name: 'fixtures', version: '0.0.1' },
    {
      capabilities: { tools: {}, prompts: {}, resources: {}, completions: {}, logging: {} },
      cacheHints: {
        'tools/list': hint,
        'prompts/list': hint,
        'resources/list': hint,
        'resources/templates/list': hint,
        'resources/read': hint,
        'server/discover': hint,
      },
    },
  )
  server.setRequestHandler('tools/list', () => ({
    tools: Object.keys(tools).map(name => ({
      name,
      description: `fixture ${name}`,
      inputSchema: { type: 'object' as const },
    })),
  }))
  server.setRequestHandler('tools/call', (request, context) => find(tools, request.params.name)(context))
  server.setRequestHandler('prompts/list', () => ({
    prompts: Object.keys(prompts).map(name => ({
      name,
      description: `fixture ${name}`,
      arguments: (promptArguments[name] ?? []).map(argument => ({
        name: argument,
        description: 'an argument',
        required: true,
      })),
    })),
  }))
  server.setRequestHandler('prompts/get', request =>
    find(prompts, request.params.name)(request.params.arguments ?? {}),
  )
  server.setRequestHandler('resources/list', () => ({
    resources: [
      { uri: 'test://static-text', name: 'static-text', description: 'text', mimeType: 'text/plain' },
      { uri: 'test://static-binary', name: 'static-binary', description: 'image', mimeType: 'image/png' },
    ],
  }))
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', description: 'data' }],
  }))
  server.setRequestHandler('resources/read', request => ({ contents: [contentsOf(request.params.uri)] }))
  server.setRequestHandler('completion/complete', () => ({ completion: { values: [], hasMore: false } }))
  return server
}
