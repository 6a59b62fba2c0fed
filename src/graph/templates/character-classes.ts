/** Classes of characters, one table look-up each: templates look at every character of every line. */

/** Bits of a character's class. */
export const characterClass = {
  digit: 1,
  hexLetter: 2,
  letter: 4,
  /** . - + _ % # @ * $ ~ ^ */
  sign: 8,
  /** / \ */
  slash: 16,
  blank: 32,
  /** ( [ { " ' < */
  opening: 64,
  /** ) ] } " ' > , ; : . ! ? */
  closing: 128,
  /** = , ; : # | and brackets and quotes: what stands between the parts of a word. */
  inner: 256,
} as const

const table = new Uint16Array(256)

function mark(characters: string, bit: number): void {
  for (const character of characters) {
    const code = character.charCodeAt(0)
    table[code] = (table[code] ?? 0) | bit
  }
}

mark('0123456789', characterClass.digit)
mark('abcdefABCDEF', characterClass.hexLetter)
mark('ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ', characterClass.letter)
mark('.-+_%#@*$~^', characterClass.sign)
mark('/\\', characterClass.slash)
mark(' \t\n\v\f\r\u00a0', characterClass.blank)
mark('([{"\'<', characterClass.opening)
mark(')]}"\'>,;:.!?', characterClass.closing)
mark('=,;:#|()[]{}"\'<>', characterClass.inner)
for (let code = 128; code < 256; code++) if (code !== 160) table[code] = characterClass.letter

/** Bits of a UTF-16 code unit; everything beyond Latin-1 counts as a letter. */
export function classOf(code: number): number {
  return code < 256 ? (table[code] ?? 0) : characterClass.letter
}

/** Further bits of the class of a byte of UTF-8. */
export const byteClass = {
  /** An equals sign. */
  assigning: 512,
  /** First letter of a month or of a day of the week. */
  dateLetter: 1024,
  /** Of a character beyond ASCII; these count as letters. */
  beyond: 2048,
} as const

/** By byte: bits of its character's class and of `byteClass`. */
export const classesOfBytes: Uint16Array = table
  .slice()
  .fill(characterClass.letter | byteClass.beyond, 128)
  .map((bits, byte) => {
    if (byte === 61) return bits | byteClass.assigning
    return 'adfjmnostwADFJMNOSTW'.includes(String.fromCharCode(byte)) ? bits | byteClass.dateLetter : bits
  })
