/**
 * Finds a line's template: candidates by number of tokens and first token, the most similar one above a
 * threshold wins.
 *
 * Source: He, Zhu, Zheng, Lyu, "Drain: an online log parsing approach with fixed depth tree", ICWS 2017.
 */
import { wildcard } from './tokenize.ts'

export interface Template {
  /** 0 until the miner gives one. */
  number: number
  tokens: readonly string[]
}

export interface TemplateMatch {
  readonly template: Template
  readonly generalised: boolean
}

const similarityThreshold = 0.5

export class TemplateTree {
  overflow: Template | null = null
  readonly #groups = new Map<string, Template[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The line's template, new if none is similar enough; null instead of a new one when `full`. */
  match(tokens: readonly string[], full: boolean): TemplateMatch | null {
    const group = this.#groups.get(groupOf(tokens)) ?? []
    let best: Template | null = null
    let bestSimilarity = similarityThreshold
    for (const template of group) {
      const similarity = similarityOf(template.tokens, tokens)
      if (similarity > bestSimilarity || (best === null && similarity === bestSimilarity)) {
        best = template
        bestSimilarity = similarity
      }
    }
    if (best !== null) return { template: best, generalised: generalise(best, tokens) }
    if (full) return null
    const template: Template = { number: 0, tokens }
    this.insert(template)
    return { template, generalised: false }
  }

  insert(template: Template): void {
    const key = groupOf(template.tokens)
    const group = this.#groups.get(key)
    if (group === undefined) this.#groups.set(key, [template])
    else group.push(template)
    this.#size++
  }
}

function groupOf(tokens: readonly string[]): string {
  const first = tokens[0] ?? ''
  return `${tokens.length} ${first.includes(wildcard) ? wildcard : first}`
}

function similarityOf(pattern: readonly string[], tokens: readonly string[]): number {
  let equal = 0
  for (let i = 0; i < pattern.length; i++) if (pattern[i] === tokens[i]) equal++
  return equal / pattern.length
}

function generalise(template: Template, tokens: readonly string[]): boolean {
  const next = template.tokens.map((token, i) => (token === tokens[i] ? token : wildcard))
  if (next.every((token, i) => token === template.tokens[i])) return false
  template.tokens = next
  return true
}
