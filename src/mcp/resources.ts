/** Resources: the same tools under addresses, and a guide for each tool. */
import {
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
  type ResourceTemplateType,
} from '@modelcontextprotocol/server'
import type { ToolsetName } from '../model/tool.ts'
import { inputSchemaOf } from '../tools/input-schema.ts'
import { offeredTools } from '../tools/registry.ts'
import type { Tool } from '../tools/tool.ts'
import { type CallContext, runNamed } from './call-tool.ts'

const scheme = 'otelcontext://'
const json = 'application/json'

export const resourcesOf = (toolsets: readonly ToolsetName[]): Resource[] => [
  { uri: `${scheme}services`, name: 'services', title: 'Services and their calls', mimeType: json },
  { uri: `${scheme}coverage`, name: 'coverage', title: 'What was received and stored', mimeType: json },
  ...offeredTools(toolsets).map(tool => ({
    uri: `${scheme}guide/${tool.name}`,
    name: `guide_${tool.name}`,
    title: `How to use ${tool.name}`,
    mimeType: 'text/markdown',
  })),
]

export const resourceTemplates: ResourceTemplateType[] = [
  {
    uriTemplate: `${scheme}services/{name}`,
    name: 'service',
    title: 'Health of one service',
    mimeType: json,
  },
  { uriTemplate: `${scheme}traces/{id}`, name: 'trace', title: 'One trace', mimeType: json },
]

/** What systems of this kind offered under other names, by the tool that answers it here. */
const olderNames: Readonly<Record<string, readonly string[]>> = {
  get_service_map: ['get_system_graph', 'get_graph_snapshot'],
  search_logs: ['tail_logs'],
  query_metrics: ['get_metrics'],
  get_service_health: ['get_dashboard_stats'],
  diagnose_ingest: ['get_storage_status'],
  get_anomaly_timeline: ['get_alerts'],
  investigate: ['get_investigations', 'get_investigation'],
}

function guideOf(tool: Tool): string {
  const { properties, required = [] } = inputSchemaOf(tool.input)
  const fields = Object.keys(properties).map(
    name => `\`${name}\`${required.includes(name) ? ' (required)' : ''}`,
  )
  const older = olderNames[tool.name] ?? []
  const examples = tool.examples.map(example => `- \`${JSON.stringify(example)}\``)
  return [
    `# ${tool.name}: ${tool.title}`,
    tool.description,
    `Arguments: ${fields.join(', ')}. Budget without \`max_tokens\`: ${tool.maxTokens} tokens.`,
    'Examples of arguments:',
    examples.join('\n'),
    ...(older.length > 0 ? [`Also answers what elsewhere is asked of ${older.join(' and ')}.`] : []),
  ].join('\n\n')
}

interface Reading {
  readonly tool: string
  readonly args: Readonly<Record<string, string>>
}

function readingOf(uri: string): Reading | null {
  if (!uri.startsWith(scheme)) return null
  const [place = '', name, ...more] = uri.slice(scheme.length).split('/')
  if (more.length > 0) return null
  let decoded: string
  try {
    decoded = decodeURIComponent(name ?? '')
  } catch {
    return null
  }
  if (place === 'services' && name === undefined) return { tool: 'get_service_map', args: {} }
  if (place === 'coverage' && name === undefined) return { tool: 'diagnose_ingest', args: {} }
  if (place === 'services' && decoded !== '')
    return { tool: 'get_service_health', args: { service: decoded } }
  if (place === 'traces' && decoded !== '') return { tool: 'get_trace', args: { trace_id: decoded } }
  return null
}

/** What is at an address; throws ResourceNotFoundError (-32602) if nothing is. */
export async function readResource(uri: string, context: CallContext): Promise<ReadResourceResult> {
  const guided = offeredTools(context.toolsets).find(tool => uri === `${scheme}guide/${tool.name}`)
  if (guided !== undefined) return { contents: [{ uri, mimeType: 'text/markdown', text: guideOf(guided) }] }
  const reading = readingOf(uri)
  if (reading === null) throw new ResourceNotFoundError(uri)
  const { json: text, failed } = await runNamed(reading.tool, reading.args, context)
  if (failed) throw new ResourceNotFoundError(uri)
  return { contents: [{ uri, mimeType: json, text }] }
}
