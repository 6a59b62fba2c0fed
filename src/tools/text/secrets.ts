/** Masks secrets in text that is about to leave the process. Trace ids, span ids and UUIDs never match. */

interface SecretPattern {
  /** Texts of which one must occur, in lower case, before the pattern is tried. */
  readonly needles: readonly string[]
  readonly pattern: RegExp
  readonly mask: string
}

const patterns: readonly SecretPattern[] = [
  {
    needles: ['-----begin'],
    pattern:
      /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
    mask: '[masked private key]',
  },
  {
    needles: ['eyj'],
    pattern: /\beyJ[\w-]{8,2000}\.[\w-]{8,4000}(?:\.[\w-]{0,1000})?/g,
    mask: '[masked jwt]',
  },
  {
    needles: ['authorization', 'bearer ', 'basic '],
    pattern:
      /\b((?:proxy-)?authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:\w{1,20} )?|bearer |basic )[\w+/=.~-]{8,4000}/gi,
    mask: '$1[masked]',
  },
  {
    needles: ['cookie'],
    pattern: /\b((?:set-)?cookie["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;][^\r\n"']{0,4000}/gi,
    mask: '$1[masked]',
  },
  {
    needles: [
      'password',
      'passwd',
      'pwd',
      'secret',
      'api_key',
      'apikey',
      'api-key',
      'access_token',
      'token=',
    ],
    pattern:
      /\b((?:\w{0,30}[_-])?(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?token|refresh[_-]?token|token)["']?\s{0,3}[:=]\s{0,3}["']?)(?!\[masked)[^\s"',;&}]{4,1000}/gi,
    mask: '$1[masked]',
  },
  {
    needles: ['://'],
    pattern: /\b([a-z][\w+.-]{1,20}:\/\/[^\s:/@]{0,200}:)[^\s@/]{1,300}@/gi,
    mask: '$1[masked]@',
  },
  {
    needles: ['akia', 'asia'],
    pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
    mask: '[masked aws key]',
  },
  {
    needles: [
      'ghp_',
      'gho_',
      'ghs_',
      'ghu_',
      'github_pat_',
      'xox',
      'aiza',
      'sk-',
      'sk_live',
      'rk_live',
      'glpat-',
    ],
    pattern:
      /\b(?:gh[posu]_\w{20,255}|github_pat_\w{20,255}|xox[abprs]-[\w-]{10,250}|AIza[\w-]{35}|sk-[\w-]{20,200}|[sr]k_live_\w{10,200}|glpat-[\w-]{20,100})/g,
    mask: '[masked key]',
  },
]

const cardCandidate = /(?<![\w.-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}(?![\w.-])/g

function passesLuhn(text: string): boolean {
  let sum = 0
  let double = false
  for (let at = text.length - 1; at >= 0; at--) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) continue
    const value = double ? digit * 2 : digit
    sum += value > 9 ? value - 9 : value
    double = !double
  }
  return sum % 10 === 0
}

/** The first digits of the large card networks, so that counters and ids of sixteen digits stay readable. */
const cardStart = /^(4|5[1-5]|2[2-7]|3[47]|6(011|5))/

/** `text` with every secret it is known to hold replaced by a mark. Linear in the text. */
export function maskSecrets(text: string): string {
  let masked = text
  const lower = text.toLowerCase()
  for (const { needles, pattern, mask } of patterns) {
    if (needles.some(needle => lower.includes(needle))) masked = masked.replace(pattern, mask)
  }
  return masked.replace(cardCandidate, found =>
    cardStart.test(found) && passesLuhn(found) ? '[masked card]' : found,
  )
}
