/** The tools as `tools/list` sends them, made once per process: converting schemas costs 8 ms a time. */
import { type ListToolsResult, specTypeSchemas } from '@modelcontextprotocol/server'
import type { ToolsetName } from '../model/tool.ts'
import { outputSchema } from '../tools/answer/output-schema.ts'
import { inputSchemaOf } from '../tools/input-schema.ts'
import { offeredTools } from '../tools/registry.ts'
import type { Tool } from '../tools/tool.ts'

function definitionOf(tool: Tool) {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: inputSchemaOf(tool.input),
    outputSchema,
    annotations: { readOnlyHint: true, openWorldHint: false },
  }
}

/** By the sets switched on; one process has one choice of them. */
const made = new Map<string, ListToolsResult['tools']>()

/** In the order of the registry; the same array every time. Throws if a definition is not as the protocol wants it. */
export function toolDefinitions(toolsets: readonly ToolsetName[] = []): ListToolsResult['tools'] {
  const tools = offeredTools(toolsets)
  const key = tools.map(tool => tool.name).join()
  const known = made.get(key)
  if (known !== undefined) return known
  const checked = specTypeSchemas.ListToolsResult['~standard'].validate({ tools: tools.map(definitionOf) })
  if (checked.issues !== undefined)
    throw new Error(`a tool definition is not valid: ${checked.issues[0]?.message}`)
  made.set(key, checked.value.tools)
  return checked.value.tools
}
