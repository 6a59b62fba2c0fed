/** Recognises text that speaks to an agent instead of about a system. It flags; it never hides. */

const patterns: readonly RegExp[] = [
  /\b(ignore|disregard|forget|override|bypass)\b.{0,40}\b(instructions?|prompts?|rules?|guidelines?|above|previous|prior|context)\b/i,
  /\b(system|developer|hidden)[ _-]?(prompt|message|instructions?)\b/i,
  /\b(you are|act as|pretend to be|you must|you should|your (new )?task)\b.{0,60}\b(assistant|agent|model|ai|admin|root|now|instead|call|run|execute|tell|report|answer|say|conclude)\b/i,
  /\b(call|invoke|use|run) (the )?[\w-]{0,40} ?(tool|mcp)\b/i,
  /\b(do not|don't|never) (tell|mention|report|reveal|inform|alert)\b/i,
  /\b(attention|note|message|important)\b.{0,20}\b(to|for)\b.{0,20}\b(agent|assistant|ai|llm|model)s?\b/i,
  /<\/?(system|assistant|user|human|instructions?|tool_?call|im_start|im_end)\b|<\|/i,
  // At the start of a line only: "file system: full" is a log line.
  /(^|\n)\s*(assistant|system|human)\s*:\s/i,
  // "POST /charges failed: signing key expired" is a log line too, so no HTTP method and not without a receiver.
  /\b(exfiltrate|send|upload|forward)\b.{0,40}\b(secrets?|credentials?|tokens?|keys?|passwords?)\b.{0,40}\bto\b/i,
]

/** Only the start is read, so that the work is bounded; what is shown is shorter. */
const readLimit = 4_000

export function readsLikeInstruction(text: string): boolean {
  const start = text.length > readLimit ? text.slice(0, readLimit) : text
  return patterns.some(pattern => pattern.test(start))
}
