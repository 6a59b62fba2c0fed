/** The tools as `tools/list` sends them, made once per process: converting schemas costs 8 ms a time. */
import { type ListToolsResult, specTypeSchemas } from '@modelcontextprotocol/server'
import { outputSchema } from '../tools/answer/output-schema.ts'
import { inputSchemaOf } from '../tools/input-schema.ts'
import { tools } from '../tools/registry.ts'
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

let definitions: ListToolsResult['tools'] | undefined

/** In the order of the registry; the same array every time. Throws if a definition is not as the protocol wants it. */
export function toolDefinitions(): ListToolsResult['tools'] {
  if (definitions !== undefined) return definitions
  const checked = specTypeSchemas.ListToolsResult['~standard'].validate({ tools: tools.map(definitionOf) })
  if (checked.issues !== undefined)
    throw new Error(`a tool definition is not valid: ${checked.issues[0]?.message}`)
  definitions = checked.value.tools
  return definitions
}
