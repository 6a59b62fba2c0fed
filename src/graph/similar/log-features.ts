/** What a log line is compared by: its words with what varies masked, and pairs of words that stand together. */
import { tokenize } from '../templates/tokenize.ts'

/** Words of a line that count; the head of a line says what it is about. */
const maxWords = 60

const word = /[\p{L}\p{N}]/u
const seam = /(?<=\p{Ll})(?=\p{Lu})|[._/-]+/u

/** The same for a line and for its template, since both are masked in the same way. */
export function logFeatures(text: string): readonly string[] {
  const words = tokenize(text)
    .map(token => token.trim())
    .filter(token => token !== '<*>' && word.test(token))
    .slice(0, maxWords)
    .flatMap(partsOf)
  const pairs = words.slice(1).map((second, at) => `${words[at]} ${second}`)
  return [...words, ...pairs]
}

/** `cardDeclined` and `card_declined` share their words with `card declined`. */
function partsOf(token: string): readonly string[] {
  return token
    .split(seam)
    .filter(part => part !== '')
    .map(part => part.toLowerCase())
}
