/** Prompts and the server's instructions, read from `prompts/*.md`; the front matter is JSON. */
import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigurationError } from '../errors.ts'

const argument = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  description: z.string().min(1).max(200),
  required: z.boolean().default(false),
  /** What stands in the text when the argument is not given. */
  absent: z.string().max(200).default(''),
})

const frontMatter = z.strictObject({
  kind: z.enum(['prompt', 'instructions']),
  name: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  title: z.string().min(1).max(80),
  description: z.string().min(1).max(300),
  arguments: z.array(argument).max(6).default([]),
})

export interface PromptArgument {
  readonly name: string
  readonly description: string
  readonly required: boolean
  readonly absent: string
}

export interface PromptFile {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly arguments: readonly PromptArgument[]
  /** With `{{argument}}` where arguments go. */
  readonly text: string
}

export interface PromptSet {
  /** Sorted by name. */
  readonly prompts: readonly PromptFile[]
  readonly instructions: string
}

const placeholder = /\{\{([a-z_]+)\}\}/g

function problemWith(file: string, problem: string): ConfigurationError {
  return new ConfigurationError([`prompt file ${file}: ${problem}`])
}

function readPromptFile(directory: URL, file: string) {
  const match = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(readFileSync(new URL(file, directory), 'utf8'))
  if (match === null) throw problemWith(file, 'has no front matter between two lines of ---')
  let head: unknown
  try {
    head = JSON.parse(match[1] ?? '')
  } catch (cause) {
    throw new ConfigurationError([`prompt file ${file}: front matter is not JSON`], { cause })
  }
  const parsed = frontMatter.safeParse(head)
  if (!parsed.success) throw problemWith(file, z.prettifyError(parsed.error))
  const text = (match[2] ?? '').trim()
  const known = new Set(parsed.data.arguments.map(entry => entry.name))
  const unknown = [...text.matchAll(placeholder)]
    .map(found => found[1] ?? '')
    .filter(name => !known.has(name))
  if (unknown.length > 0) throw problemWith(file, `uses unknown arguments ${unknown.join(', ')}`)
  return { ...parsed.data, text }
}

/** Reads all prompt files of a directory; throws ConfigurationError for one that is not as it should be. */
export function readPrompts(directory: URL): PromptSet {
  const files = readdirSync(directory)
    .filter(name => name.endsWith('.md'))
    .sort()
    .map(name => readPromptFile(directory, name))
  return {
    prompts: files.filter(file => file.kind === 'prompt'),
    instructions: files.find(file => file.kind === 'instructions')?.text ?? '',
  }
}

let shipped: PromptSet | undefined

/** The prompts in the package, read once. Sources and compiled files lie equally deep. */
export function shippedPrompts(): PromptSet {
  shipped ??= readPrompts(new URL('../../prompts/', import.meta.url))
  return shipped
}

/** The text with its arguments; `absent` where one is not given. */
export function fillPrompt(prompt: PromptFile, given: Readonly<Record<string, string>>): string {
  const absent = new Map(prompt.arguments.map(entry => [entry.name, entry.absent]))
  return prompt.text.replace(placeholder, (_, name: string) => given[name] ?? absent.get(name) ?? '')
}
