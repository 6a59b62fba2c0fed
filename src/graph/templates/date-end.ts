/** Dates and times that are written in several words. */

const weekdays = new Set(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
const months = new Set(['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'])

/**
 * Where a date and time that begins at `from` ends, `from` itself if there is none: `Sat Jul 23 05:12:03 2005`,
 * `Jul 23 05:12:03`, `2005-07-23 05:12:03,123`.
 */
export function dateEnd(text: string, from: number, end: number): number {
  const code = text.charCodeAt(from)
  if (code >= 48 && code <= 57) return isoDate(text, from, end)
  // J F M A S O N D begin months, and with T and W weekdays.
  if (!startsDate(code)) return from
  // Names of days and months are three letters here.
  if (isLetter(text.charCodeAt(from + 3)) || !isLetter(text.charCodeAt(from + 2))) return from
  let at = from
  let [word, next] = wordAt(text, at, end)
  if (weekdays.has(word)) {
    at = next
    ;[word, next] = wordAt(text, at, end)
  }
  if (!months.has(word)) return from
  const day = digitsAt(text, next, end)
  if (day === next) return from
  const time = timeAt(text, day, end)
  if (time === day) return from
  const zone = zoneAt(text, time, end)
  const year = digitsAt(text, zone, end)
  return year - zone === 5 ? year : time
}

/** Whether a word is the short name of a day. */
export function isWeekday(word: string): boolean {
  return word.length === 3 && weekdays.has(word.toLowerCase())
}

/** Three lower-case letters as one number. */
function letters(a: number, b: number, c: number): number {
  return ((a | 32) << 16) | ((b | 32) << 8) | c | 32
}

const named: ReadonlySet<number> = new Set(
  [...weekdays, ...months].map(name => letters(name.charCodeAt(0), name.charCodeAt(1), name.charCodeAt(2))),
)

/** Whether `dateEnd` may find a date where the ASCII word `bytes[from, to)` stands; never false where it does. */
export function mayBeginDate(bytes: Uint8Array, from: number, to: number): boolean {
  const code = bytes[from] as number
  if (isDigit(code)) return to - from >= 10 && (bytes[from + 4] === 45 || bytes[from + 4] === 47)
  if (to - from < 3 || !startsDate(code) || (to - from > 3 && isLetter(bytes[from + 3] as number)))
    return false
  return named.has(letters(code, bytes[from + 1] as number, bytes[from + 2] as number))
}

function isoDate(text: string, from: number, end: number): number {
  let at = from
  for (let i = 0; i < 10; i++) {
    const code = text.charCodeAt(at++)
    const separator = i === 4 || i === 7
    if (separator ? code !== 45 && code !== 47 : !isDigit(code)) return from
  }
  const time = timeAt(text, at, end)
  return time === at ? from : time
}

/** A lower-case word of letters and the position after it; blanks before it are passed over. */
function wordAt(text: string, from: number, end: number): [string, number] {
  let at = from
  while (at < end && text.charCodeAt(at) === 32) at++
  const start = at
  while (at < end && at - start < 4 && (text.charCodeAt(at) | 32) >= 97 && (text.charCodeAt(at) | 32) <= 122)
    at++
  return [text.slice(start, at).toLowerCase(), at]
}

/** The end of blanks and digits, `from` if there are no digits. */
function digitsAt(text: string, from: number, end: number): number {
  let at = from
  while (at < end && text.charCodeAt(at) === 32) at++
  const start = at
  while (at < end && isDigit(text.charCodeAt(at))) at++
  return at === start ? from : at
}

/** The end of blanks and a time of day with its fraction, `from` if there is none. */
function timeAt(text: string, from: number, end: number): number {
  let at = digitsAt(text, from, end)
  if (at === from || text.charCodeAt(at) !== 58) return from
  let colons = 0
  while (at < end && (isDigit(text.charCodeAt(at)) || isTimeSign(text.charCodeAt(at)))) {
    if (text.charCodeAt(at) === 58) colons++
    at++
  }
  while (at > from && !isDigit(text.charCodeAt(at - 1))) at--
  return colons === 0 ? from : at
}

/** The end of blanks and a short upper-case time zone, `from` if there is none. */
function zoneAt(text: string, from: number, end: number): number {
  let at = from
  while (at < end && text.charCodeAt(at) === 32) at++
  const start = at
  while (at < end && text.charCodeAt(at) >= 65 && text.charCodeAt(at) <= 90) at++
  return at - start >= 3 && at - start <= 4 ? at : from
}

function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122
}

function startsDate(code: number): boolean {
  switch (code | 32) {
    case 97:
    case 100:
    case 102:
    case 106:
    case 109:
    case 110:
    case 111:
    case 115:
    case 116:
    case 119:
      return true
    default:
      return false
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** : . , */
function isTimeSign(code: number): boolean {
  return code === 58 || code === 46 || code === 44
}
