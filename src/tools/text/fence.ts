/** Text written by strangers, made fit for a field that is marked untrusted. */
import { readsLikeInstruction } from './instruction.ts'
import { maskSecrets } from './secrets.ts'

/**
 * Everything that is not seen but acts: control and escape characters (line feed and tab stay), bidirectional
 * and zero-width marks, tags, variation selectors, private use, line and paragraph separators.
 */
const invisible =
  /(?:(?![\n\t])(?:\u{34f}|\p{Variation_Selector}|[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{3164}\u{ffa0}]))+/gu

const flag = '[reads like an instruction] '

/** Characters kept of one text unless a caller says otherwise: a log line and the top of a stack trace. */
export const defaultTextLimit = 400

/** Only so much of a text is looked at for what is shown of it, so that a 10 MB attribute costs no more. */
const readAhead = 4_000

/**
 * `text` with invisible characters replaced by their code (`<U+202E>`, runs by the first and their number),
 * secrets masked, cut to `limit` characters with the number cut, and flagged if it speaks to an agent.
 */
export function fence(text: string, limit: number = defaultTextLimit): string {
  const start = text.length > limit + readAhead ? text.slice(0, limit + readAhead) : text
  const visible = start.toWellFormed().replace(invisible, run => {
    const code = (run.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    const count = [...run].length
    return count === 1 ? `<U+${code}>` : `<U+${code} and ${count - 1} more>`
  })
  const masked = maskSecrets(visible)
  const shown =
    masked.length > limit
      ? `${masked.slice(0, limit).toWellFormed()}...(+${text.length - limit} chars)`
      : masked
  return readsLikeInstruction(start) || readsLikeInstruction(visible) ? flag + shown : shown
}
