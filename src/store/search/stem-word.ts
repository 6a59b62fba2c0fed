/**
 * English stems: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with two of the
 * departures of his own later implementation (`-logi` and `-bli`). Words outside a-z keep their form.
 */

const vowels = 'aeiou'

function isConsonant(word: string, at: number): boolean {
  const letter = word[at] ?? ''
  if (vowels.includes(letter)) return false
  return letter !== 'y' || at === 0 || !isConsonant(word, at - 1)
}

/** The m of the paper: how often a vowel run is followed by a consonant run. */
function measure(word: string): number {
  let count = 0
  let previous = true
  for (let at = 0; at < word.length; at++) {
    const consonant = isConsonant(word, at)
    if (consonant && !previous) count++
    previous = consonant
  }
  return count
}

function hasVowel(word: string): boolean {
  for (let at = 0; at < word.length; at++) if (!isConsonant(word, at)) return true
  return false
}

function endsInDouble(word: string): boolean {
  const end = word.length - 1
  return end > 0 && word[end] === word[end - 1] && isConsonant(word, end)
}

/** Consonant, vowel, consonant at the end, the last not w, x or y. */
function endsInShort(word: string): boolean {
  const end = word.length - 1
  if (end < 2) return false
  if (!isConsonant(word, end) || isConsonant(word, end - 1) || !isConsonant(word, end - 2)) return false
  return !'wxy'.includes(word[end] ?? '')
}

type Rule = readonly [suffix: string, replacement: string]

const step2: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['logi', 'log'],
]

const step3: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
]

const step4: readonly string[] = [
  'al',
  'ance',
  'ence',
  'er',
  'ic',
  'able',
  'ible',
  'ant',
  'ement',
  'ment',
  'ent',
  'ion',
  'ou',
  'ism',
  'ate',
  'iti',
  'ous',
  'ive',
  'ize',
]

/** The stem of a folded token; words of up to two letters and anything but a-z stay as they are. */
export function stemWord(token: string): string {
  if (token.length < 3 || !/^[a-z]+$/.test(token)) return token
  let word = plural(token)
  word = pastTense(word)
  if (word.endsWith('y') && hasVowel(word.slice(0, -1))) word = `${word.slice(0, -1)}i`
  word = replaceSuffix(word, step2)
  word = replaceSuffix(word, step3)
  return finalE(dropSuffix(word))
}

function plural(word: string): string {
  if (word.endsWith('sses') || word.endsWith('ies')) return word.slice(0, -2)
  if (word.endsWith('s') && !word.endsWith('ss')) return word.slice(0, -1)
  return word
}

function pastTense(word: string): string {
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word
  const suffix = word.endsWith('ed') ? 'ed' : word.endsWith('ing') ? 'ing' : ''
  if (suffix === '') return word
  const rest = word.slice(0, -suffix.length)
  if (!hasVowel(rest)) return word
  if (rest.endsWith('at') || rest.endsWith('bl') || rest.endsWith('iz')) return `${rest}e`
  if (endsInDouble(rest) && !'lsz'.includes(rest.at(-1) ?? '')) return rest.slice(0, -1)
  return measure(rest) === 1 && endsInShort(rest) ? `${rest}e` : rest
}

function replaceSuffix(word: string, rules: readonly Rule[]): string {
  let longest: Rule | undefined
  for (const rule of rules)
    if (word.endsWith(rule[0]) && rule[0].length > (longest?.[0].length ?? 0)) longest = rule
  if (longest === undefined) return word
  const rest = word.slice(0, -longest[0].length)
  return measure(rest) > 0 ? rest + longest[1] : word
}

function dropSuffix(word: string): string {
  let longest = ''
  for (const suffix of step4) if (word.endsWith(suffix) && suffix.length > longest.length) longest = suffix
  if (longest === '') return word
  const rest = word.slice(0, -longest.length)
  if (measure(rest) <= 1) return word
  if (longest === 'ion' && !rest.endsWith('s') && !rest.endsWith('t')) return word
  return rest
}

function finalE(word: string): string {
  let result = word
  if (result.endsWith('e')) {
    const rest = result.slice(0, -1)
    const count = measure(rest)
    if (count > 1 || (count === 1 && !endsInShort(rest))) result = rest
  }
  return result.endsWith('ll') && measure(result) > 1 ? result.slice(0, -1) : result
}
